//! Claude Code's transcripts.
//!
//! A line is an event; those of `type` `assistant` carry a block of an answer each, all with the
//! `usage` of that answer as it was when the line was written. So the last line of an answer has
//! its bill, and the lines before it have less. `message.id` and `requestId` name the answer: a
//! session that is resumed or forked repeats the lines of the one before in a file of its own.

mod line;

use std::collections::HashMap;
use std::sync::Arc;

use farthing_core::advise::{ToolUse, Touch};
use farthing_wire::Dialect;
use jiff::Timestamp;
use serde_json::value::RawValue;

use self::line::{Block, Content, Line, Message, ToolUseResult};
use crate::arguments;
use crate::log::{Added, Log, Logged, Names, ToolIndex, UNKNOWN_MODEL, hash, key};
use crate::skipped::Reason;
use crate::usage::billed;

/// An answer with less text than this for each token of its usage was cut off before its bill came.
/// No text has so many bytes a token, runs of blanks and base64 included.
const BYTES_PER_TOKEN_MAX: u64 = 16;
/// Shorter answers prove nothing.
const BYTES_MIN: u64 = 64;

/// Reads a file, line by line.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    by_key: HashMap<u128, usize>,
    /// The usage of each call, as its last line has it.
    usages: Vec<Option<Box<str>>>,
    /// Whether the answer of each call was seen to its end.
    stopped: Vec<bool>,
    tools: ToolIndex,
    names: Names,
    /// What was added to each conversation since its last call.
    added: HashMap<(Arc<str>, Option<Arc<str>>), Added>,
}

// === impl Reader ===

impl Reader {
    /// Takes a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn line(
        &mut self,
        text: &str,
        number: u64,
        log: &mut Log,
    ) -> Result<(), serde_json::Error> {
        let line: Line<'_> = serde_json::from_str(text)?;
        match (line.kind.as_deref(), &line.message) {
            (Some("assistant"), Some(message)) => self.answer(&line, message, number, log),
            (Some("user"), Some(message)) => self.user(&line, message, log),
            _ => {}
        }
        Ok(())
    }

    fn answer(&mut self, line: &Line<'_>, message: &Message<'_>, number: u64, log: &mut Log) {
        let model = message.model.as_deref().unwrap_or(UNKNOWN_MODEL);
        if model == "<synthetic>" {
            return log.skip(Reason::Synthetic, number, "");
        }
        let Some(usage) = message.usage.filter(|usage| usage.get().starts_with('{')) else {
            return log.skip(Reason::NoUsage, number, "");
        };
        let identity = message.id.as_deref().map(|id| key((id, line.request_id.as_deref())));
        let known = identity.and_then(|identity| self.by_key.get(&identity).copied());
        let at = known.unwrap_or_else(|| {
            let at = log.calls.len();
            let call = self.call(line, message, model, number, log);
            log.calls.push(Logged { key: identity, ..call });
            self.usages.push(None);
            self.stopped.push(false);
            if let Some(identity) = identity {
                self.by_key.insert(identity, at);
            }
            at
        });
        self.usages[at] = Some(usage.get().into());
        self.stopped[at] |= message.stop_reason.is_some();
        for block in message.content.blocks() {
            self.block(block, at, &mut log.calls[at]);
        }
    }

    fn call(
        &mut self,
        line: &Line<'_>,
        message: &Message<'_>,
        model: &str,
        number: u64,
        log: &Log,
    ) -> Logged {
        let (session, agent) = self.thread(line, log);
        let added = self.added.remove(&(Arc::clone(&session), agent.clone()));
        let id = message.id.as_deref().or(line.uuid.as_deref());
        let provider = self.names.keep(provider(message.id.as_deref()));
        Logged {
            agent,
            project: line.cwd.as_deref().map(|cwd| self.names.keep(cwd)),
            at: line.timestamp.as_deref().and_then(|at| at.parse::<Timestamp>().ok()),
            id: id.map_or_else(|| format!("line {number}").into(), Into::into),
            added: added.unwrap_or_default(),
            ..Logged::new(session, provider, self.names.keep(model))
        }
    }

    /// The session and the sub-agent that a line belongs to.
    fn thread(&mut self, line: &Line<'_>, log: &Log) -> (Arc<str>, Option<Arc<str>>) {
        let session = match line.session_id.as_deref() {
            Some(session) => self.names.keep(session),
            None => Arc::clone(&log.file),
        };
        let agent = match (line.agent_id.as_deref(), line.is_sidechain) {
            (Some(agent), _) => Some(agent),
            (None, Some(true)) => Some("sidechain"),
            _ => None,
        };
        (session, agent.map(|agent| self.names.keep(agent)))
    }

    fn block(&mut self, block: &Block<'_>, at: usize, call: &mut Logged) {
        let length = |text: Option<&RawValue>| text.map_or(0, |text| text.get().len() as u64);
        call.wrote += length(block.text) + length(block.input);
        let (Some("tool_use"), Some(name)) = (block.kind.as_deref(), block.name.as_deref()) else {
            return;
        };
        if let Some(id) = block.id.as_deref() {
            self.tools.called(hash(id), at, call.tools.len());
        }
        let arguments = block.input.map_or("", RawValue::get);
        let file = arguments::file(arguments);
        call.tools.push(ToolUse {
            name: self.names.keep(name),
            arguments: hash(arguments),
            touches: if file.is_some() { touch(name) } else { Touch::Nothing },
            file: file.map(|file| self.names.keep(&file)),
            result_bytes: 0,
            failed: None,
        });
    }

    fn user(&mut self, line: &Line<'_>, message: &Message<'_>, log: &mut Log) {
        let thread = self.thread(line, log);
        let added = self.added.entry(thread).or_default();
        if let Content::Text(bytes) = message.content {
            added.user += bytes;
        }
        for block in message.content.blocks() {
            if block.kind.as_deref() != Some("tool_result") {
                added.user += block.text.map_or(0, |text| text.get().len() as u64);
                continue;
            }
            let bytes = block.content.map_or(0, arguments::text_bytes);
            added.results += bytes;
            let id = block.tool_use_id.as_deref().unwrap_or_default();
            if let Some(tool) = self.tools.result(hash(id), &mut log.calls) {
                tool.result_bytes = bytes;
                tool.failed = Some(block.is_error.unwrap_or(false));
            }
        }
        if let Some(told) = line.tool_use_result.and_then(ToolUseResult::of_agent) {
            log.agents.push((self.names.keep(&told.agent_id), told.total_tokens));
        }
    }

    /// Reads what the calls consumed, now that the last line of each is known.
    pub(crate) fn finish(self, log: &mut Log) {
        let calls = std::mem::take(&mut log.calls);
        let usages = self.usages.into_iter().zip(self.stopped);
        for (mut call, (usage, stopped)) in calls.into_iter().zip(usages) {
            let usage = usage.unwrap_or_default();
            match billed(Dialect::Anthropic, &call.model, &usage, None) {
                Ok(Some(billed)) => {
                    let told = billed.usage.completion().saturating_mul(BYTES_PER_TOKEN_MAX);
                    call.incomplete = !stopped && call.wrote > told.saturating_add(BYTES_MIN);
                    call.billed = billed;
                    log.calls.push(call);
                }
                Ok(None) => log.skipped.add(Reason::NoUsage, || place(&log.file, &call)),
                Err(problem) => log.skipped.add(Reason::InvalidUsage, || {
                    format!("{}: {problem}", place(&log.file, &call))
                }),
            }
        }
    }
}

/// A line of an answer, for who reads a file that grows.
pub(crate) struct Answer {
    /// What tells the answer from every other.
    pub(crate) key: String,
    pub(crate) session: Option<String>,
    pub(crate) of_agent: bool,
    pub(crate) at: Option<Timestamp>,
    pub(crate) provider: &'static str,
    pub(crate) model: String,
    pub(crate) usage: String,
}

/// Reads a line; `None` where it is none of an answer.
pub(crate) fn answer(text: &str) -> Option<Answer> {
    let line: Line<'_> = serde_json::from_str(text).ok()?;
    let message = line.message.filter(|_| line.kind.as_deref() == Some("assistant"))?;
    let model = message.model.as_deref().filter(|model| *model != "<synthetic>")?;
    let id = message.id.as_deref().or(line.uuid.as_deref()).unwrap_or_default();
    Some(Answer {
        key: format!("{id} {}", line.request_id.as_deref().unwrap_or_default()),
        session: line.session_id.as_deref().map(str::to_owned),
        of_agent: line.is_sidechain == Some(true),
        at: line.timestamp.as_deref().and_then(|at| at.parse().ok()),
        provider: provider(message.id.as_deref()),
        model: model.to_owned(),
        usage: message.usage?.get().to_owned(),
    })
}

fn place(file: &str, call: &Logged) -> String {
    format!("{file}: {}", call.id)
}

/// Whose API gave an answer, which the beginning of its id tells.
fn provider(message_id: Option<&str>) -> &'static str {
    match message_id {
        Some(id) if id.starts_with("msg_bdrk_") => "aws",
        Some(id) if id.starts_with("msg_vrtx_") => "google",
        _ => "anthropic",
    }
}

/// What a tool of Claude Code does to the file that it names.
fn touch(tool: &str) -> Touch {
    match tool {
        "Read" | "NotebookRead" => Touch::Reads,
        "Edit" | "MultiEdit" | "NotebookEdit" | "Write" => Touch::Writes,
        _ => Touch::Nothing,
    }
}
