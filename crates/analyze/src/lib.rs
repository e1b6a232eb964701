//! Reads what agents logged: what it cost, where it was wasted, what to change.
//!
//! [`scan`](scan::scan) reads files and folders into [`Logs`], [`Priced`] takes out what was logged
//! twice and prices the rest, [`Report`] adds up and looks for waste. Nothing here prints, and
//! nothing that cannot be read is left out without a count and a reason.
//!
//! | module | holds |
//! |---|---|
//! | [`source`] | whose log a file is, told by its content |
//! | `claude_code`, `codex`, `gemini_cli`, `openai`, `trajectory` | a reader for each of them |
//! | `usage`, `count`, `chat`, `arguments` | what these readers have in common |
//! | [`log`] | what readers write down: requests, before anything is priced |
//! | [`skipped`] | what was not read, and why |
//! | [`mod@scan`] | files, folders, threads |
//! | `lines` | lines of bounded length |
//! | [`priced`] | requests without duplicates, with their costs |
//! | [`tail`] | a transcript that grows |
//! | `threads` | requests as conversations |
//! | [`anatomy`], [`whatif`] | what prompts were made of; what they would have cost otherwise |
//! | [`grouping`] | the rows of a bill: by day, session, model, ... |
//! | [`html`] | a report as a page that stands alone |
//! | [`report`] | sums by session, model and day; waste, and what to change |

pub mod anatomy;
mod arguments;
mod chat;
mod claude_code;
mod codex;
mod count;
mod gemini_cli;
pub mod grouping;
pub mod html;
mod lines;
pub mod log;
mod openai;
pub mod priced;
mod reader;
pub mod report;
pub mod scan;
pub mod skipped;
pub mod source;
pub mod tail;
mod threads;
mod trajectory;
mod usage;
pub mod whatif;

pub use log::Logs;
pub use priced::{Priced, Request, Terms};
pub use report::Report;
pub use scan::{Progress, scan};
pub use skipped::{Reason, Skipped};
pub use source::Source;
