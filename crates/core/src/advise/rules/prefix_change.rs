//! A prefix was cached and still warm, and the next call did not read it: something in it changed.

use crate::advise::finding::{Basis, Finding};
use crate::advise::observed::Observed;

pub(super) const NAME: &str = "prefix_change";

pub(super) fn find(observed: &Observed<'_>) -> Option<Finding> {
    let mut finding = Finding::new(NAME, Basis::Observed);
    let warm = observed.lapses().filter(|lapse| lapse.idle.is_some() && !lapse.is_idle());
    for lapse in warm {
        let kept = lapse.after.usage.cached();
        finding.add((lapse.thread, lapse.after), lapse.tokens, lapse.usd, || {
            format!("{} warm tokens sent again; the first {kept} were read", lapse.tokens)
        });
    }
    finding.what = format!(
        "{} times a prefix that was still warm changed, and all behind the change was paid again",
        finding.count
    );
    finding.steps = vec![format!(
        "{} tokens were written again instead of read, for ${:.4} more at each call's rates",
        finding.tokens, finding.usd
    )];
    let how = "keep what comes first the same from call to call: no dates or ids in the system \
               prompt, tools in one order, no tool added and no file attached in mid-session";
    finding.change = Some((how.to_owned(), finding.usd));
    finding.if_any()
}
