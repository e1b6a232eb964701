//! Sub-agents ran on a dear model although a cheaper one is in use.

use std::collections::BTreeSet;

use crate::advise::finding::{Basis, Finding};
use crate::advise::log::Call;
use crate::advise::observed::Observed;
use crate::money::Usd;

pub(super) const NAME: &str = "cheaper_model";

pub(super) fn find(observed: &Observed<'_>) -> Option<Finding> {
    let models: BTreeSet<&str> = observed.calls().map(|(_, call)| &*call.model).collect();
    let of_agents = || observed.calls().filter(|(thread, _)| thread.agent.is_some());
    let total = |model: &str| {
        let costs = of_agents().filter_map(|(_, call)| saved(observed, call, model));
        costs.fold(Usd::ZERO, |sum, usd| sum.plus(usd).unwrap_or(sum))
    };
    let best = models.into_iter().max_by_key(|model| total(model))?;
    let mut finding = Finding::new(NAME, Basis::Estimated);
    for (thread, call) in of_agents() {
        let Some(usd) = saved(observed, call, best).filter(|usd| *usd > Usd::ZERO) else {
            continue;
        };
        let tokens = call.usage.prompt().saturating_add(call.usage.completion());
        finding
            .add((thread, call), tokens, usd, || format!("a sub-agent's call on {}", call.model));
    }
    finding.what =
        format!("{} calls of sub-agents ran on a model dearer than {best}", finding.count);
    finding.steps = vec![
        format!("assumed: {best}, which these logs have too, does their work with as many tokens"),
        format!("the same usage at its rates costs ${:.4} less", finding.usd),
    ];
    let how = format!(
        "run sub-agents on {best} (Claude Code: `model:` in .claude/agents/*.md, or \
         CLAUDE_CODE_SUBAGENT_MODEL), and look at their work before you keep it so"
    );
    finding.change = Some((how, finding.usd));
    finding.if_any()
}

/// What a call would have cost less on another model.
fn saved(observed: &Observed<'_>, call: &Call, model: &str) -> Option<Usd> {
    let card = (observed.rates_of)(call, model)?;
    call.cost.usd?.minus(card.cost(&call.usage).ok()?.usd?).ok()
}
