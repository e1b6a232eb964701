//! The rules. A new one is a file here and a line in [`RULES`].

mod cheaper_model;
mod idle_lapse;
mod long_context;
mod missing_cache;
mod oversized_output;
mod prefix_change;
mod repeated_prompt;
mod repeated_read;
mod retry_loop;
mod unused_tool;

use super::finding::Finding;
use super::observed::Observed;

/// One kind of waste.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name in reports.
    pub name: &'static str,
    /// Looks for it.
    pub find: fn(&Observed<'_>) -> Option<Finding>,
}

/// Every rule.
pub const RULES: &[Rule] = &[
    Rule { name: idle_lapse::NAME, find: idle_lapse::find },
    Rule { name: prefix_change::NAME, find: prefix_change::find },
    Rule { name: missing_cache::NAME, find: missing_cache::find },
    Rule { name: repeated_read::NAME, find: repeated_read::find },
    Rule { name: oversized_output::NAME, find: oversized_output::find },
    Rule { name: retry_loop::NAME, find: retry_loop::find },
    Rule { name: unused_tool::NAME, find: unused_tool::find },
    Rule { name: long_context::NAME, find: long_context::find },
    Rule { name: repeated_prompt::NAME, find: repeated_prompt::find },
    Rule { name: cheaper_model::NAME, find: cheaper_model::find },
];
