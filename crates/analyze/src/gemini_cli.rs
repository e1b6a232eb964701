//! Gemini CLI's recorded chats.
//!
//! A file holds one session: as a document, or in newer versions as lines, of which the first has
//! the session and the others a message each; a message that changed is written again, whole.
//! `tokens.input` contains `cached`, while `thoughts` are beside `output`, and `tool` beside both.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use farthing_core::advise::{ToolUse, Touch};
use farthing_core::usage::{Bucket, Usage};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::log::{Added, Billed, Log, Logged, Names, UNKNOWN_MODEL, hash, key};
use crate::skipped::Reason;

/// Reads a file, line by line.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    session: Option<Arc<str>>,
    agent: Option<Arc<str>>,
    project: Option<Arc<str>>,
    by_id: HashMap<u64, usize>,
    added: Added,
    names: Names,
}

#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow, default, rename = "sessionId")]
    session_id: Option<Cow<'l, str>>,
    #[serde(borrow, default, rename = "projectHash")]
    project_hash: Option<Cow<'l, str>>,
    /// `subagent`, or `main`; a message has none.
    #[serde(borrow, default)]
    kind: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    messages: Option<Vec<Message<'l>>>,
    /// Of a message.
    #[serde(default)]
    id: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Message<'l> {
    #[serde(borrow, default)]
    id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    timestamp: Option<Cow<'l, str>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    content: Option<&'l RawValue>,
    #[serde(default)]
    tokens: Option<Tokens>,
    #[serde(borrow, default, rename = "toolCalls")]
    tool_calls: Option<Vec<ToolCall<'l>>>,
}

#[derive(Clone, Copy, Deserialize)]
struct Tokens {
    #[serde(default)]
    input: u64,
    #[serde(default)]
    output: u64,
    #[serde(default)]
    cached: u64,
    #[serde(default)]
    thoughts: Option<u64>,
    #[serde(default)]
    tool: Option<u64>,
}

#[derive(Deserialize)]
struct ToolCall<'l> {
    #[serde(borrow, default)]
    name: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    args: Option<&'l RawValue>,
    #[serde(borrow, default)]
    result: Option<&'l RawValue>,
    #[serde(borrow, default)]
    status: Option<Cow<'l, str>>,
}

// === impl Reader ===

impl Reader {
    /// Takes a line, or the whole document.
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
        if let Some(session) = line.session_id.as_deref() {
            let session = self.names.keep(session);
            if line.kind.as_deref() == Some("subagent") {
                self.agent = Some(Arc::clone(&session));
            }
            self.session.get_or_insert(session);
        }
        if let Some(project) = line.project_hash.as_deref() {
            self.project = Some(self.names.keep(project));
        }
        for message in line.messages.iter().flatten() {
            self.message(message, number, log);
        }
        if line.id.is_some() {
            self.message(&serde_json::from_str(text)?, number, log);
        }
        Ok(())
    }

    fn message(&mut self, message: &Message<'_>, number: u64, log: &mut Log) {
        let length = |text: Option<&RawValue>| text.map_or(0, |text| text.get().len() as u64);
        match message.kind.as_deref() {
            Some("gemini") => {}
            Some("user") => {
                self.added.user += length(message.content);
                return;
            }
            _ => return,
        }
        let Some(tokens) = message.tokens else {
            return log.skip(Reason::NoUsage, number, "");
        };
        let usage = match tokens.usage() {
            Ok(usage) if usage == Usage::NONE => return log.skip(Reason::NoUsage, number, ""),
            Ok(usage) => usage,
            Err(problem) => return log.skip(Reason::InvalidUsage, number, &problem),
        };
        let session = self.session.clone().unwrap_or_else(|| Arc::clone(&log.file));
        let identity = message.id.as_deref().map(|id| key((&*session, id)));
        let id = message.id.as_deref().map(hash);
        let known = id.and_then(|id| self.by_id.get(&id).copied());
        let (tools, results) = self.tools(message);
        if let Some(call) = known.and_then(|at| log.calls.get_mut(at)) {
            call.billed.usage = usage;
            call.tools = tools;
            return;
        }
        if let Some(id) = id {
            self.by_id.insert(id, log.calls.len());
        }
        let model = message.model.as_deref().unwrap_or(UNKNOWN_MODEL);
        let (provider, model) = (self.names.keep("google"), self.names.keep(model));
        log.calls.push(Logged {
            key: identity,
            agent: self.agent.clone(),
            project: self.project.clone(),
            at: message.timestamp.as_deref().and_then(|at| at.parse::<Timestamp>().ok()),
            id: message.id.as_deref().map_or_else(|| format!("line {number}").into(), Into::into),
            billed: Billed { usage, ..Billed::default() },
            tools,
            added: std::mem::take(&mut self.added),
            wrote: length(message.content),
            ..Logged::new(session, provider, model)
        });
        self.added.results = results;
    }

    /// The tools that a message called, and the bytes of their results.
    fn tools(&mut self, message: &Message<'_>) -> (Vec<ToolUse>, u64) {
        let mut results = 0;
        let calls = message.tool_calls.iter().flatten();
        let tools = calls.map(|call| {
            let name = call.name.as_deref().unwrap_or("unknown");
            let arguments = call.args.map_or("", RawValue::get);
            let bytes = call.result.map_or(0, |result| result.get().len() as u64);
            results += bytes;
            let file = crate::arguments::file(arguments);
            ToolUse {
                name: self.names.keep(name),
                arguments: hash(arguments),
                touches: if file.is_some() { touch(name) } else { Touch::Nothing },
                file: file.map(|file| self.names.keep(&file)),
                result_bytes: bytes,
                failed: call.status.as_deref().map(|status| status == "error"),
            }
        });
        (tools.collect(), results)
    }
}

/// What a tool of Gemini CLI does to the file that it names.
fn touch(tool: &str) -> Touch {
    match tool {
        "read_file" => Touch::Reads,
        "replace" | "write_file" => Touch::Writes,
        _ => Touch::Nothing,
    }
}

// === impl Tokens ===

impl Tokens {
    /// In disjoint buckets.
    fn usage(self) -> Result<Usage, String> {
        let Tokens { input, output, cached, thoughts, tool } = self;
        let fresh = input
            .checked_sub(cached)
            .ok_or_else(|| format!("{cached} cached exceed the {input} input that contain them"))?;
        Ok(Usage::NONE
            .with(Bucket::Input, fresh.saturating_add(tool.unwrap_or(0)))
            .with(Bucket::CacheRead, cached)
            .with(Bucket::Output, output)
            .with(Bucket::OutputReasoning, thoughts.unwrap_or(0)))
    }
}
