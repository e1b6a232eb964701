//! What readers write down: requests, before duplicates are out and anything is priced.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use farthing_core::advise::{Offered, ToolUse};
use farthing_core::pricing::Served;
use farthing_core::usage::Usage;
use farthing_wire::ModelUsage;
use jiff::Timestamp;

use crate::skipped::{Reason, Skipped};
use crate::source::Source;

/// The name of a model that a log does not name.
pub(crate) const UNKNOWN_MODEL: &str = "unknown";

/// All that was read, file by file in the order of their names.
#[derive(Debug, Default)]
pub struct Logs {
    /// The logs, one for each file that is one.
    pub files: Vec<Log>,
    /// What could not be read.
    pub skipped: Skipped,
    /// Bytes that were read.
    pub bytes: u64,
}

/// What one file tells.
#[derive(Debug)]
pub struct Log {
    /// Whose log it is.
    pub source: Source,
    /// The file's name.
    pub file: Arc<str>,
    /// Its requests, in the order in which they were logged.
    pub calls: Vec<Logged>,
    /// Sub-agents that it names, with the tokens of the last call of each. Their own calls stand in
    /// files of their own.
    pub agents: Vec<(Arc<str>, u64)>,
    /// The session that this one was forked from: it repeats that one's counts.
    pub forked_from: Option<Arc<str>>,
    /// What was not read.
    pub skipped: Skipped,
}

/// A request as it was logged.
#[derive(Debug)]
pub struct Logged {
    /// What tells it from every other, in whatever file it stands; `None` where nothing does.
    pub key: Option<u128>,
    /// The session.
    pub session: Arc<str>,
    /// The sub-agent that made it.
    pub agent: Option<Arc<str>>,
    /// The project or folder that the session worked in.
    pub project: Option<Arc<str>>,
    /// When the answer began, where the log says so.
    pub at: Option<Timestamp>,
    /// Whose API was called, as the catalog names it.
    pub provider: Arc<str>,
    /// The model that answered.
    pub model: Arc<str>,
    /// How evidence names it.
    pub id: Box<str>,
    /// What it consumed.
    pub billed: Billed,
    /// The tools that it called.
    pub tools: Vec<ToolUse>,
    /// What was added to the prompt since the request before, in bytes.
    pub added: Added,
    /// All of the prompt, where the log has it.
    pub prompt: Option<Prompt>,
    /// Bytes of text and tool calls that the answer shows.
    pub wrote: u64,
    /// Whether its usage is known to be short of what it consumed.
    pub incomplete: bool,
    /// The longest answer that was allowed.
    pub max_output: Option<u64>,
}

/// What was consumed, and how it was served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Billed {
    /// What the model consumed that answered.
    pub usage: Usage,
    /// How the request was served.
    pub served: Served,
    /// What other models consumed that took part.
    pub others: Vec<ModelUsage>,
    /// Whether this is a part of sums that the log has, or our own count where it has none.
    pub estimated: bool,
}

/// Bytes that were added to a prompt, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// What a person typed, or the program on their behalf.
    pub user: u64,
    /// Results of tools.
    pub results: u64,
}

/// A prompt that was logged whole, in bytes by kind.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    /// Instructions.
    pub system: u64,
    /// Definitions of tools.
    pub tools: u64,
    /// What was said earlier, by either side.
    pub history: u64,
    /// Results of tools.
    pub results: u64,
    /// The newest message of a person.
    pub user: u64,
    /// A hash of all that stands before each message, and of the whole: so a prompt that continues
    /// another can be told.
    pub hashes: Box<[u64]>,
    /// The tools that the model could call.
    pub offered: Arc<[Offered]>,
}

/// Finds the tool call that a result belongs to.
#[derive(Debug, Default)]
pub(crate) struct ToolIndex(HashMap<u64, (usize, usize)>);

/// Few texts that are often repeated, such as names of models, each kept once.
#[derive(Debug, Default)]
pub(crate) struct Names(HashSet<Arc<str>>);

// === impl Log ===

impl Log {
    pub(crate) fn new(source: Source, file: Arc<str>) -> Log {
        let (calls, agents) = (Vec::new(), Vec::new());
        Log { source, file, calls, agents, forked_from: None, skipped: Skipped::default() }
    }

    /// Counts what is not read, at a line of the file.
    pub(crate) fn skip(&mut self, reason: Reason, line: u64, problem: &str) {
        let file = &self.file;
        let place = || match problem {
            "" => format!("{file}:{line}"),
            problem => format!("{file}:{line}: {problem}"),
        };
        self.skipped.add(reason, place);
    }
}

// === impl Logged ===

impl Logged {
    /// A request of which nothing else is known.
    pub(crate) fn new(session: Arc<str>, provider: Arc<str>, model: Arc<str>) -> Logged {
        Logged {
            key: None,
            session,
            agent: None,
            project: None,
            at: None,
            provider,
            model,
            id: "".into(),
            billed: Billed::default(),
            tools: Vec::new(),
            added: Added::default(),
            prompt: None,
            wrote: 0,
            incomplete: false,
            max_output: None,
        }
    }
}

// === impl ToolIndex ===

impl ToolIndex {
    /// Remembers where the call with this id, hashed, stands.
    pub(crate) fn called(&mut self, id: u64, call: usize, tool: usize) {
        self.0.insert(id, (call, tool));
    }

    /// The call that a result names by its id, hashed; once.
    pub(crate) fn result<'c>(
        &mut self,
        id: u64,
        calls: &'c mut [Logged],
    ) -> Option<&'c mut ToolUse> {
        let (call, tool) = self.0.remove(&id)?;
        calls.get_mut(call)?.tools.get_mut(tool)
    }
}

// === impl Names ===

impl Names {
    pub(crate) fn keep(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let kept: Arc<str> = name.into();
        self.0.insert(Arc::clone(&kept));
        kept
    }
}

/// A hash that is the same on every run.
pub(crate) fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A hash wide enough that two of a billion requests do not share it.
pub(crate) fn key(value: impl Hash) -> u128 {
    u128::from(hash((0_u8, &value))) << 64 | u128::from(hash((1_u8, &value)))
}
