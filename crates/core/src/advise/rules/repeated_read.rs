//! A file was read again although it stood in the conversation and had not changed.

use std::collections::HashSet;
use std::sync::Arc;

use crate::advise::carry::Carry;
use crate::advise::finding::{Basis, Finding};
use crate::advise::log::Touch;
use crate::advise::observed::Observed;

pub(super) const NAME: &str = "repeated_read";

pub(super) fn find(observed: &Observed<'_>) -> Option<Finding> {
    let mut finding = Finding::new(NAME, Basis::Estimated);
    let mut calls = 0;
    for thread in observed.threads {
        let carry = Carry::new(thread);
        let mut standing: HashSet<(Arc<str>, u64)> = HashSet::new();
        let mut longest = 0;
        for (at, call) in thread.calls.iter().enumerate() {
            // A shorter prompt has lost what stood in it.
            if call.usage.prompt() < longest {
                standing.clear();
            }
            longest = call.usage.prompt();
            for tool in &call.tools {
                let Some(file) = &tool.file else { continue };
                match tool.touches {
                    Touch::Nothing => {}
                    Touch::Writes => standing.retain(|(read, _)| read != file),
                    Touch::Reads if standing.insert((Arc::clone(file), tool.arguments)) => {}
                    Touch::Reads => {
                        let tokens = observed.tokens(tool.result_bytes);
                        let (usd, carried) = carry.cost(at, tokens);
                        calls += carried;
                        finding.add((thread, call), tokens, usd, || {
                            format!("{file} again, {tokens} tokens, carried by {carried} calls")
                        });
                    }
                }
            }
        }
    }
    finding.what = format!(
        "{} times a file was read again that stood in the conversation, unchanged",
        finding.count
    );
    finding.steps = vec![format!(
        "{} tokens by the length of the results, each written once and then read by the calls \
         behind it ({calls} in all), at each call's rates",
        finding.tokens
    )];
    let how = "tell the agent to rely on what it has read (in CLAUDE.md or AGENTS.md: \"do not \
               read a file again that has not changed\"), or let the gateway put a reference in \
               the place of a repeated block";
    finding.change = Some((how.to_owned(), finding.usd));
    finding.if_any()
}
