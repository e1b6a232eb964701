//! A prompt crossed the length beyond which the whole request is dearer.

use crate::advise::carry::unit;
use crate::advise::finding::{Basis, Finding};
use crate::advise::log::Call;
use crate::advise::observed::Observed;
use crate::money::Usd;
use crate::usage::{Bucket, Usage};

pub(super) const NAME: &str = "long_context";

pub(super) fn find(observed: &Observed<'_>) -> Option<Finding> {
    let mut finding = Finding::new(NAME, Basis::Observed);
    for (thread, call) in observed.calls() {
        let Some(more) = dearer_by(call) else { continue };
        let prompt = call.usage.prompt();
        finding.add((thread, call), prompt, more, || {
            format!("a prompt of {prompt} tokens, priced in the dearer tier")
        });
    }
    finding.what = format!(
        "{} requests were so long that all of them was priced in a dearer tier",
        finding.count
    );
    finding.steps = vec![format!(
        "the same tokens at the rates of shorter prompts cost ${:.4} less",
        finding.usd
    )];
    let how = "compact or split sessions before their prompt crosses the model's threshold (Claude \
               Code: /compact, or /clear between tasks)";
    finding.change = Some((how.to_owned(), finding.usd));
    finding.if_any()
}

/// What the call cost over the same tokens in short prompts.
fn dearer_by(call: &Call) -> Option<Usd> {
    const SHORT: u64 = 1_000;
    let card = call.card.as_deref()?;
    let of = |usage: &Usage| card.cost(usage).ok()?.usd;
    let mut short = 0_i128;
    for (bucket, count) in call.usage.iter() {
        let unit = of(&Usage::NONE.with(bucket, SHORT))?.pico();
        short = short.checked_add(unit.checked_mul(i128::from(count))? / i128::from(SHORT))?;
    }
    let counters = call.usage.iter().any(|(bucket, _)| bucket == Bucket::Requests);
    let more = of(&call.usage)?.minus(Usd::from_pico(short)).ok()?;
    // Rates that do not divide differ by less than a token's price.
    (!counters && more.pico() > unit(call, Bucket::Input)).then_some(more)
}
