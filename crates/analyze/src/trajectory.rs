//! Trajectories of scaffolds, a document each: SWE-agent's and mini-SWE-agent's, OpenHands'; and
//! conversations in the trace format, a line each.
//!
//! | who | where the usage is |
//! |---|---|
//! | SWE-agent | only sums: `info.model_stats` |
//! | mini-SWE-agent | each message's `extra.response` is the provider's own answer |
//! | OpenHands | `metrics.token_usages`, or `llm_metrics` of the last event that has them |
//! | trace | `usage` of a message, where there is one |

use std::borrow::Cow;
use std::sync::Arc;

use farthing_core::usage::{Bucket, Usage};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::{self, Growing, Message};
use crate::count::Counts;
use crate::log::{Added, Billed, Log, Logged, Names, UNKNOWN_MODEL, hash, key};
use crate::openai::{moment, read};
use crate::skipped::Reason;
use crate::source::Source;

/// More calls than any trajectory makes.
const CALLS_MAX: u64 = 100_000;

/// Reads a file: documents, one or one a line.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    names: Names,
    /// The last metrics of a list of events, which hold all before them.
    metrics: Option<Box<str>>,
}

#[derive(Deserialize)]
struct Document<'l> {
    #[serde(borrow, default)]
    id: Option<&'l RawValue>,
    #[serde(borrow, default)]
    instance_id: Option<&'l RawValue>,
    #[serde(borrow, default)]
    model: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    provider: Option<Cow<'l, str>>,
    /// The dialect that it was held in.
    #[serde(borrow, default)]
    api: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    tools: Option<&'l RawValue>,
    #[serde(borrow, default)]
    messages: Option<Vec<Message<'l>>>,
    #[serde(borrow, default)]
    info: Option<Info<'l>>,
    #[serde(borrow, default)]
    replay_config: Option<&'l RawValue>,
    #[serde(borrow, default)]
    metrics: Option<&'l RawValue>,
    #[serde(borrow, default)]
    llm_metrics: Option<&'l RawValue>,
}

#[derive(Deserialize)]
struct Info<'l> {
    #[serde(default)]
    model_stats: Option<ModelStats>,
    #[serde(borrow, default)]
    config: Option<&'l RawValue>,
}

#[derive(Clone, Copy, Deserialize)]
struct ModelStats {
    #[serde(default)]
    tokens_sent: u64,
    #[serde(default)]
    tokens_received: u64,
    #[serde(default)]
    api_calls: u64,
}

#[derive(Deserialize)]
struct Metrics<'l> {
    #[serde(borrow, default)]
    token_usages: Vec<TokenUsage<'l>>,
}

#[derive(Deserialize)]
struct TokenUsage<'l> {
    #[serde(borrow, default)]
    model: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    response_id: Option<Cow<'l, str>>,
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    cache_read_tokens: u64,
    #[serde(default)]
    cache_write_tokens: u64,
}

#[derive(Deserialize)]
struct Extra<'l> {
    #[serde(borrow, default)]
    response: Option<&'l RawValue>,
}

#[derive(Deserialize)]
struct Response<'l> {
    #[serde(borrow, default)]
    id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    created: Option<&'l RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'l RawValue>,
}

// === impl Document ===

impl Document<'_> {
    /// Whose API has the dialect.
    fn api_provider(&self) -> &'static str {
        match self.api.as_deref() {
            Some(api) if api.starts_with("anthropic") => "anthropic",
            Some(api) if api.starts_with("gemini") => "google",
            _ => "openai",
        }
    }
}

// === impl Reader ===

impl Reader {
    /// Takes a document.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn line(
        &mut self,
        text: &str,
        number: u64,
        log: &mut Log,
    ) -> Result<(), serde_json::Error> {
        let document: Document<'_> = serde_json::from_str(text)?;
        // An event of OpenHands has an id too, but that is a number.
        let id = document.instance_id.or(document.id).filter(|id| id.get().starts_with('"'));
        let session = match id {
            Some(id) => self.names.keep(id.get().trim_matches('"')),
            None => Arc::clone(&log.file),
        };
        let metrics = document.metrics.or(document.llm_metrics);
        match (log.source, metrics.filter(|raw| raw.get() != "null")) {
            (Source::OpenHands, Some(metrics)) if document.instance_id.is_some() => {
                self.openhands(metrics.get(), &session, number, log);
            }
            // Of a list of events, the last has all.
            (Source::OpenHands, Some(metrics)) => self.metrics = Some(metrics.get().into()),
            (Source::SweAgent, _) => self.swe_agent(&document, &session, number, log),
            _ => {}
        }
        self.messages(&document, &session, number, log);
        Ok(())
    }

    /// Takes the end of the file.
    pub(crate) fn finish(mut self, log: &mut Log) {
        if let Some(metrics) = self.metrics.take() {
            let session = Arc::clone(&log.file);
            self.openhands(&metrics, &session, 0, log);
        }
    }

    /// Each answer of a conversation is a request with all messages before it.
    fn messages(
        &mut self,
        document: &Document<'_>,
        session: &Arc<str>,
        number: u64,
        log: &mut Log,
    ) {
        let messages = document.messages.as_deref().unwrap_or_default();
        let mut prompt = Growing::new(chat::offered(document.tools, &mut self.names));
        let told = |message: &Message<'_>| {
            message.role.as_deref() != Some("assistant") || message.usage.is_some()
        };
        let is_counted = log.source == Source::Trace && !messages.iter().all(told);
        let counts = is_counted.then(|| Counts::new(messages, document.tools));
        let mut added = Added::default();
        let mut open: Vec<(u64, usize, usize)> = Vec::new();
        for (at, message) in messages.iter().enumerate() {
            let before = prompt.prompt();
            prompt.push(message);
            match message.role.as_deref() {
                Some("assistant") => {
                    let call = match counts.as_ref().filter(|_| !told(message)) {
                        Some(counts) => Some(Logged {
                            tools: message.tools(&mut self.names),
                            wrote: message.bytes(),
                            ..self.counted(document, session, at, counts.usage(at))
                        }),
                        None => self.message(document, message, session, (number, at), log),
                    };
                    let Some(call) = call else { continue };
                    for (tool, called) in message.tool_calls.iter().flatten().enumerate() {
                        let id = hash(called.id.as_deref().unwrap_or_default());
                        open.push((id, log.calls.len(), tool));
                    }
                    let added = std::mem::take(&mut added);
                    log.calls.push(Logged { added, prompt: Some(before), ..call });
                }
                Some("tool") => {
                    added.results += message.bytes();
                    let id = hash(message.tool_call_id.as_deref().unwrap_or_default());
                    let found = open.iter().position(|(open, ..)| *open == id);
                    let Some((_, call, tool)) = found.map(|at| open.swap_remove(at)) else {
                        continue;
                    };
                    let tools = log.calls.get_mut(call).map(|call| &mut call.tools);
                    if let Some(tool) = tools.and_then(|tools| tools.get_mut(tool)) {
                        tool.result_bytes = message.bytes();
                    }
                }
                _ => added.user += message.bytes(),
            }
        }
    }

    /// An answer whose usage is our own count.
    fn counted(
        &mut self,
        document: &Document<'_>,
        session: &Arc<str>,
        at: usize,
        usage: Usage,
    ) -> Logged {
        let model = document.model.as_deref().unwrap_or(UNKNOWN_MODEL);
        let provider = document.provider.as_deref().unwrap_or_else(|| document.api_provider());
        Logged {
            key: Some(key((&**session, at, usage.prompt()))),
            id: format!("{session} message {at}").into(),
            billed: Billed { usage, estimated: true, ..Billed::default() },
            ..self.call(session, model, provider)
        }
    }

    /// An answer whose usage is known.
    fn message(
        &mut self,
        document: &Document<'_>,
        message: &Message<'_>,
        session: &Arc<str>,
        (number, at): (u64, usize),
        log: &mut Log,
    ) -> Option<Logged> {
        let extra = message.extra.and_then(|raw| serde_json::from_str::<Extra<'_>>(raw.get()).ok());
        let response = extra.and_then(|extra| extra.response);
        let response =
            response.and_then(|raw| serde_json::from_str::<Response<'_>>(raw.get()).ok());
        let usage = message.usage.or(response.as_ref().and_then(|response| response.usage));
        let Some(usage) = usage.filter(|usage| usage.get() != "null") else {
            log.skip(Reason::NoUsage, number, "");
            return None;
        };
        let answered = response.as_ref().and_then(|response| response.model.as_deref());
        let model = [message.model.as_deref(), answered, document.model.as_deref()];
        let model = model.into_iter().flatten().next().unwrap_or(UNKNOWN_MODEL);
        let (shape, read) = read(model, usage.get(), None);
        let billed = match read {
            Ok(Some(billed)) => billed,
            Ok(None) => {
                log.skip(Reason::NoUsage, number, "");
                return None;
            }
            Err(problem) => {
                log.skip(Reason::InvalidUsage, number, &problem);
                return None;
            }
        };
        let id = response.as_ref().and_then(|response| response.id.as_deref());
        let created = response.as_ref().and_then(|response| response.created);
        let call = self.call(session, model, document.provider.as_deref().unwrap_or(shape));
        Some(Logged {
            key: id.map_or_else(|| Some(key((&**session, at))), |id| Some(key(("answer", id)))),
            id: id.map_or_else(|| format!("{session} message {at}").into(), Into::into),
            at: message.ts.or(created).and_then(|raw| moment(raw.get())),
            billed,
            tools: message.tools(&mut self.names),
            wrote: message.bytes(),
            ..call
        })
    }

    /// SWE-agent sums up: its calls are taken to be alike, and their costs are estimates.
    fn swe_agent(
        &mut self,
        document: &Document<'_>,
        session: &Arc<str>,
        number: u64,
        log: &mut Log,
    ) {
        let Some(stats) = document.info.as_ref().and_then(|info| info.model_stats) else { return };
        let calls = stats.api_calls.min(CALLS_MAX);
        if calls == 0 || stats.tokens_sent == 0 {
            return;
        }
        let model = document.replay_config.map(RawValue::get);
        let model =
            model.or(document.info.as_ref().and_then(|info| info.config).map(RawValue::get));
        let model = model.and_then(model_name).unwrap_or_else(|| UNKNOWN_MODEL.to_owned());
        let (provider, name) = match model.split_once('/') {
            Some((prefix, name)) => (provider(prefix), name),
            None => ("openai", model.as_str()),
        };
        let part = |whole: u64, at: u64| whole / calls + u64::from(at < whole % calls);
        for at in 0..calls {
            let usage = Usage::NONE
                .with(Bucket::Input, part(stats.tokens_sent, at))
                .with(Bucket::Output, part(stats.tokens_received, at));
            let call = self.call(session, name, provider);
            log.calls.push(Logged {
                key: Some(key((&**session, &*log.file, at))),
                id: format!("{session} line {number} call {at}").into(),
                billed: Billed { usage, estimated: true, ..Billed::default() },
                ..call
            });
        }
    }

    fn openhands(&mut self, metrics: &str, session: &Arc<str>, number: u64, log: &mut Log) {
        let metrics: Metrics<'_> = match serde_json::from_str(metrics) {
            Ok(metrics) => metrics,
            Err(error) => return log.skip(Reason::MalformedLine, number, &error.to_string()),
        };
        for (at, said) in metrics.token_usages.iter().enumerate() {
            let written = said.cache_read_tokens.saturating_add(said.cache_write_tokens);
            let Some(input) = said.prompt_tokens.checked_sub(written) else {
                log.skip(Reason::InvalidUsage, number, "cached tokens exceed prompt_tokens");
                continue;
            };
            let usage = Usage::NONE
                .with(Bucket::Input, input)
                .with(Bucket::CacheRead, said.cache_read_tokens)
                .with(Bucket::CacheWrite5m, said.cache_write_tokens)
                .with(Bucket::Output, said.completion_tokens);
            let model = said.model.as_deref().unwrap_or(UNKNOWN_MODEL);
            let (prefix, name) = model.split_once('/').unwrap_or(("openai", model));
            let id = said.response_id.as_deref().filter(|id| !id.is_empty());
            let call = self.call(session, name, provider(prefix));
            log.calls.push(Logged {
                key: id.map(|id| key(("answer", id))),
                id: id.map_or_else(|| format!("call {at}").into(), Into::into),
                billed: Billed { usage, ..Billed::default() },
                ..call
            });
        }
    }

    fn call(&mut self, session: &Arc<str>, model: &str, provider: &str) -> Logged {
        Logged::new(Arc::clone(session), self.names.keep(provider), self.names.keep(model))
    }
}

/// Whose API it is, by the prefix that LiteLLM, which these scaffolds call through, puts before a
/// model's name.
fn provider(prefix: &str) -> &str {
    match prefix {
        "bedrock" => "aws",
        "fireworks_ai" => "fireworks",
        "gemini" | "vertex_ai" => "google",
        "moonshot" => "moonshotai",
        "together_ai" => "together",
        "xai" => "x-ai",
        other => other,
    }
}

/// The model that a configuration names, which may be JSON in a text.
fn model_name(config: &str) -> Option<String> {
    let config: serde_json::Value = serde_json::from_str(config).ok()?;
    let config = match config.as_str() {
        Some(text) => serde_json::from_str(text).ok()?,
        None => config,
    };
    let places = ["/agent/model/name", "/model/model_name", "/agent/model/model_name"];
    places.iter().find_map(|place| config.pointer(place)?.as_str().map(str::to_owned))
}
