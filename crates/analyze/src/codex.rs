//! Codex's rollouts.
//!
//! A line is an item of the session with its time. After each answer, a `token_count` tells the
//! session's total so far and the last request's part of it; the same count comes again whenever
//! something else in that event changes. `turn_context` names the model. A forked session repeats
//! the items of the one before, counts included, and names it in its `session_meta`.

use std::borrow::Cow;
use std::sync::Arc;

use farthing_core::advise::{ToolUse, Touch};
use farthing_core::usage::{Bucket, Usage};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::log::{Added, Billed, Log, Logged, Names, ToolIndex, UNKNOWN_MODEL, hash, key};
use crate::skipped::Reason;
use crate::usage::Counts;

/// Reads a file, line by line.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    session: Option<Arc<str>>,
    agent: Option<Arc<str>>,
    project: Option<Arc<str>>,
    provider: Option<Arc<str>>,
    model: Option<Arc<str>>,
    /// The session's total at the last count.
    total: Option<Counts>,
    /// What the answer that is not counted yet called, with the ids of its calls.
    called: Vec<(u64, ToolUse)>,
    searches: u64,
    added: Added,
    wrote: u64,
    tools: ToolIndex,
    names: Names,
}

#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow, default)]
    timestamp: Option<Cow<'l, str>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    payload: Option<&'l RawValue>,
}

#[derive(Deserialize)]
struct Meta<'l> {
    #[serde(borrow, default)]
    id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    cwd: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    model_provider: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    forked_from_id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    agent_nickname: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'l, str>>,
}

#[derive(Deserialize)]
struct Event<'l> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    info: Option<&'l RawValue>,
}

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    total_token_usage: Option<Counts>,
    #[serde(default)]
    last_token_usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Item<'l> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    role: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    call_id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    content: Option<&'l RawValue>,
    #[serde(borrow, default, alias = "input", alias = "action")]
    arguments: Option<&'l RawValue>,
    #[serde(borrow, default)]
    output: Option<&'l RawValue>,
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
        let (Some(kind), Some(payload)) = (line.kind.as_deref(), line.payload) else {
            return Ok(());
        };
        match kind {
            "session_meta" => self.meta(&serde_json::from_str(payload.get())?, log),
            "turn_context" => {
                let turn: Meta<'_> = serde_json::from_str(payload.get())?;
                if let Some(model) = turn.model.as_deref() {
                    self.model = Some(self.names.keep(model));
                }
            }
            "event_msg" => {
                let event: Event<'_> = serde_json::from_str(payload.get())?;
                let info = event.info.filter(|info| info.get() != "null");
                if let (Some("token_count"), Some(info)) = (event.kind.as_deref(), info) {
                    let info = serde_json::from_str(info.get())?;
                    self.count(&info, line.timestamp.as_deref(), number, log);
                }
            }
            "response_item" => self.item(&serde_json::from_str(payload.get())?, log),
            _ => {}
        }
        Ok(())
    }

    /// The first is the file's own; those of the sessions that it was forked from follow.
    fn meta(&mut self, meta: &Meta<'_>, log: &mut Log) {
        if self.session.is_some() {
            return;
        }
        let mut keep =
            |name: &Option<Cow<'_, str>>| name.as_deref().map(|name| self.names.keep(name));
        self.session = keep(&meta.id);
        self.project = keep(&meta.cwd);
        self.provider = keep(&meta.model_provider);
        self.agent = keep(&meta.agent_nickname);
        log.forked_from = keep(&meta.forked_from_id);
    }

    fn count(&mut self, info: &Info, at: Option<&str>, number: u64, log: &mut Log) {
        let before = self.total;
        let Some(last) = info.last_token_usage.or(info.total_token_usage) else { return };
        if info.total_token_usage.is_some() && info.total_token_usage == before {
            return log.skip(Reason::RepeatedCount, number, "");
        }
        let part = match (info.last_token_usage, info.total_token_usage) {
            (None, Some(total)) => since(total, before),
            _ => last,
        };
        self.total = info.total_token_usage.or(before);
        match part.usage() {
            Ok(usage) if usage == Usage::NONE => log.skip(Reason::NoUsage, number, ""),
            Ok(usage) => {
                let identity = info.total_token_usage.map(|total| key((total, part)));
                let usage = usage.with(Bucket::WebSearch, std::mem::take(&mut self.searches));
                let call = self.call(usage, at, number, log);
                log.calls.push(Logged { key: identity, ..call });
            }
            Err(problem) => log.skip(Reason::InvalidUsage, number, &problem),
        }
    }

    fn call(&mut self, usage: Usage, at: Option<&str>, number: u64, log: &Log) -> Logged {
        let mut tools = Vec::new();
        for (id, tool) in self.called.drain(..) {
            self.tools.called(id, log.calls.len(), tools.len());
            tools.push(tool);
        }
        let session = self.session.clone().unwrap_or_else(|| Arc::clone(&log.file));
        let provider = self.provider.clone().unwrap_or_else(|| self.names.keep("openai"));
        let model = self.model.clone().unwrap_or_else(|| self.names.keep(UNKNOWN_MODEL));
        Logged {
            agent: self.agent.clone(),
            project: self.project.clone(),
            at: at.and_then(|at| at.parse::<Timestamp>().ok()),
            id: format!("line {number}").into(),
            billed: Billed { usage, ..Billed::default() },
            tools,
            added: std::mem::take(&mut self.added),
            wrote: std::mem::take(&mut self.wrote),
            ..Logged::new(session, provider, model)
        }
    }

    fn item(&mut self, item: &Item<'_>, log: &mut Log) {
        let length = |text: Option<&RawValue>| text.map_or(0, |text| text.get().len() as u64);
        let id = hash(item.call_id.as_deref().unwrap_or_default());
        match item.kind.as_deref() {
            Some("message") if item.role.as_deref() == Some("assistant") => {
                self.wrote += length(item.content);
            }
            Some("message") => self.added.user += length(item.content),
            Some("web_search_call") => self.searches += 1,
            Some("function_call" | "custom_tool_call" | "local_shell_call") => {
                self.wrote += length(item.arguments);
                let name = item.name.as_deref().unwrap_or("shell");
                let tool = ToolUse {
                    name: self.names.keep(name),
                    arguments: hash(item.arguments.map(RawValue::get)),
                    file: None,
                    touches: Touch::Nothing,
                    result_bytes: 0,
                    failed: None,
                };
                self.called.push((id, tool));
            }
            Some("function_call_output" | "custom_tool_call_output") => {
                let bytes = length(item.output);
                self.added.results += bytes;
                let pending = self.called.iter_mut().find(|(called, _)| *called == id);
                let tool = match pending {
                    Some((_, tool)) => Some(tool),
                    None => self.tools.result(id, &mut log.calls),
                };
                if let Some(tool) = tool {
                    tool.result_bytes = bytes;
                    tool.failed = Some(item.output.is_some_and(|output| failed(output.get())));
                }
            }
            _ => {}
        }
    }
}

/// What came between two totals. A total that fell began anew.
fn since(total: Counts, before: Option<Counts>) -> Counts {
    let before = before.filter(|before| before.input_tokens <= total.input_tokens);
    let before = before.unwrap_or_default();
    Counts {
        input_tokens: total.input_tokens - before.input_tokens,
        cached_input_tokens: total.cached_input_tokens.saturating_sub(before.cached_input_tokens),
        output_tokens: total.output_tokens.saturating_sub(before.output_tokens),
        reasoning_output_tokens: total
            .reasoning_output_tokens
            .saturating_sub(before.reasoning_output_tokens),
    }
}

/// Whether a command's output tells of an exit code that is not zero.
fn failed(output: &str) -> bool {
    let code = |marker: &str| {
        let (_, rest) = output.split_once(marker)?;
        rest.trim_start().chars().next().map(|first| first.is_ascii_digit() && first != '0')
    };
    [r#""exit_code\":"#, r#""exit_code":"#, "Exit code:", "exited with code"]
        .into_iter()
        .find_map(code)
        .unwrap_or(false)
}
