//! Calls as a log tells them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::pricing::{Cost, RateCard};
use crate::usage::Usage;

/// The calls of one agent within one session, in order: a conversation that grows.
#[derive(Clone, Debug)]
pub struct Thread<'a> {
    /// The session, as its log names it.
    pub session: Arc<str>,
    /// The sub-agent; `None` for the one that the user talks to.
    pub agent: Option<Arc<str>>,
    /// Its calls, oldest first.
    pub calls: Vec<&'a Call>,
}

/// One request to a model and its answer.
#[derive(Clone, Debug)]
pub struct Call {
    /// How evidence names it: the provider's id of the answer, or its place in a file.
    pub id: Box<str>,
    /// When it was answered, where the log says so.
    pub at: Option<Timestamp>,
    /// The model that answered.
    pub model: Arc<str>,
    /// What it consumed.
    pub usage: Usage,
    /// What that costs.
    pub cost: Cost,
    /// The rates that held; `None` where no price is known.
    pub card: Option<Arc<RateCard>>,
    /// The tools that the answer called.
    pub tools: Vec<ToolUse>,
    /// The tools that it could call, where the log says so.
    pub offered: Arc<[Offered]>,
    /// The longest answer that was allowed, in tokens.
    pub max_output: Option<u64>,
    /// A hash of the whole prompt, where the log has it.
    pub prompt: Option<u64>,
}

/// A tool's definition in a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The tool's name.
    pub name: Arc<str>,
    /// The definition's length as JSON.
    pub bytes: u64,
}

/// A tool that an answer called, and what came of it.
#[derive(Clone, Debug)]
pub struct ToolUse {
    /// The tool's name.
    pub name: Arc<str>,
    /// A hash of the arguments, so that equal calls can be told.
    pub arguments: u64,
    /// The file that it reads or writes.
    pub file: Option<Arc<str>>,
    /// What it does to that file.
    pub touches: Touch,
    /// The result's length as text.
    pub result_bytes: u64,
    /// Whether the result says that it failed; `None` where there is no result.
    pub failed: Option<bool>,
}

/// What a tool does to a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Touch {
    /// Nothing that is known.
    #[default]
    Nothing,
    /// It shows the file, or a part of it, to the model.
    Reads,
    /// It changes the file.
    Writes,
}
