//! The same prompt was answered before, by the same model.

use std::collections::HashSet;

use crate::advise::finding::{Basis, Finding};
use crate::advise::observed::Observed;
use crate::money::Usd;

pub(super) const NAME: &str = "repeated_prompt";

pub(super) fn find(observed: &Observed<'_>) -> Option<Finding> {
    let mut finding = Finding::new(NAME, Basis::Observed);
    let mut seen = HashSet::new();
    for (thread, call) in observed.calls() {
        let Some(prompt) = call.prompt else { continue };
        if seen.insert((&call.model, prompt)) {
            continue;
        }
        let usd = call.cost.usd.unwrap_or(Usd::ZERO);
        finding.add((thread, call), call.usage.prompt(), usd, || {
            "a prompt that this model had answered before".to_owned()
        });
    }
    finding.what = format!("{} requests had a prompt that was answered before", finding.count);
    finding.steps = vec![format!("these requests cost ${:.4} in all", finding.usd)];
    let how = "keep answers: a response cache in front of the model, for requests whose answer may \
               be the same";
    finding.change = Some((how.to_owned(), finding.usd));
    finding.if_any()
}
