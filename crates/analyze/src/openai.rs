//! JSON lines of requests and answers, as gateways, SDK hooks and batch results write them.
//!
//! A line is an answer of OpenAI's chat completions or responses, of Anthropic's messages or of
//! Gemini, or an object with such an answer in `response`, `response.body`, `result.message` or
//! `output`, and maybe its request in `request`, `body` or `input`.

use std::borrow::Cow;
use std::sync::Arc;

use farthing_core::pricing::Dimension;
use farthing_wire::Dialect;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::{self, Message};
use crate::log::{Billed, Log, Logged, Names, UNKNOWN_MODEL, key};
use crate::skipped::Reason;
use crate::usage::billed;

/// An answer stands no deeper in a line.
const DEPTH_MAX: usize = 4;

/// Reads a file, line by line.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    names: Names,
}

/// Whatever has an answer, or is one.
#[derive(Default, Deserialize)]
pub(crate) struct Exchange<'l> {
    #[serde(borrow, default)]
    id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    provider: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    custom_llm_provider: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    service_tier: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    usage: Option<&'l RawValue>,
    /// Gemini's.
    #[serde(borrow, default, rename = "usageMetadata")]
    usage_metadata: Option<&'l RawValue>,
    #[serde(borrow, default)]
    created: Option<&'l RawValue>,
    #[serde(borrow, default)]
    created_at: Option<&'l RawValue>,
    #[serde(borrow, default)]
    timestamp: Option<&'l RawValue>,
    #[serde(borrow, default)]
    ts: Option<&'l RawValue>,
    #[serde(borrow, default, rename = "startTime")]
    start_time: Option<&'l RawValue>,
    #[serde(borrow, default)]
    session_id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    conversation_id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    thread_id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    trace_id: Option<Cow<'l, str>>,
    #[serde(borrow, default, rename = "modelVersion")]
    model_version: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    choices: Option<&'l RawValue>,
    #[serde(borrow, default)]
    content: Option<&'l RawValue>,
    #[serde(borrow, default)]
    response: Option<&'l RawValue>,
    #[serde(borrow, default)]
    result: Option<&'l RawValue>,
    #[serde(borrow, default)]
    output: Option<&'l RawValue>,
    #[serde(borrow, default)]
    message: Option<&'l RawValue>,
    #[serde(borrow, default)]
    request: Option<&'l RawValue>,
    #[serde(borrow, default)]
    body: Option<&'l RawValue>,
    #[serde(borrow, default)]
    input: Option<&'l RawValue>,
    #[serde(borrow, default)]
    messages: Option<&'l RawValue>,
    #[serde(borrow, default)]
    custom_id: Option<Cow<'l, str>>,
}

#[derive(Default, Deserialize)]
struct Request<'l> {
    #[serde(borrow, default)]
    model: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    messages: Vec<Message<'l>>,
    #[serde(borrow, default)]
    system: Option<&'l RawValue>,
    #[serde(borrow, default)]
    tools: Option<&'l RawValue>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
    #[serde(default)]
    max_output_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Choice<'l> {
    #[serde(borrow, default)]
    message: Option<Message<'l>>,
}

// === impl Request ===

impl Request<'_> {
    /// The longest answer that it allows.
    fn limit(&self) -> Option<u64> {
        self.max_tokens.or(self.max_completion_tokens).or(self.max_output_tokens)
    }
}

// === impl Exchange ===

impl<'l> Exchange<'l> {
    /// The answer in it, and whether a batch brought it.
    fn answer(&self) -> Option<(Exchange<'l>, bool)> {
        self.answer_within(DEPTH_MAX)
    }

    fn answer_within(&self, depth: usize) -> Option<(Exchange<'l>, bool)> {
        let depth = depth.checked_sub(1)?;
        let batch = self.custom_id.is_some();
        let inner = [self.response, self.result, self.output, self.body, self.message];
        inner.into_iter().flatten().find_map(|raw| {
            let inner: Exchange<'l> = serde_json::from_str(raw.get()).ok()?;
            match inner.usage() {
                Some(_) => Some((inner, batch)),
                None => inner.answer_within(depth).map(|(answer, inner)| (answer, batch || inner)),
            }
        })
    }

    /// Whether there is an answer with usage in it, or should be one.
    pub(crate) fn is_one(&self) -> bool {
        let says = self.choices.is_some() || self.content.is_some() || self.output.is_some();
        let asked = self.request.is_some() || self.messages.is_some() || self.custom_id.is_some();
        self.usage().is_some() && (says || asked || self.model.is_some())
            || asked && (self.response.is_some() || self.result.is_some())
            || self.answer().is_some()
    }

    fn usage(&self) -> Option<&'l RawValue> {
        self.usage.or(self.usage_metadata).filter(|usage| usage.get().starts_with('{'))
    }

    fn at(&self) -> Option<Timestamp> {
        let told = [self.created, self.created_at, self.timestamp, self.ts, self.start_time];
        told.into_iter().flatten().find_map(|raw| moment(raw.get()))
    }

    fn session(&self) -> Option<&str> {
        let named = [&self.session_id, &self.conversation_id, &self.thread_id, &self.trace_id];
        named.into_iter().find_map(|name| name.as_deref())
    }

    fn provider(&self) -> Option<&str> {
        self.provider.as_deref().or(self.custom_llm_provider.as_deref())
    }
}

/// Reads a time: a text, or seconds or milliseconds since 1970.
pub(crate) fn moment(raw: &str) -> Option<Timestamp> {
    if let Ok(text) = serde_json::from_str::<Cow<'_, str>>(raw) {
        return text.parse().ok();
    }
    let whole = raw.split('.').next().unwrap_or(raw);
    let number: i64 = whole.parse().ok()?;
    // Seconds reach this number in the year 5138.
    let seconds = number.abs() < 100_000_000_000;
    if seconds { Timestamp::from_second(number) } else { Timestamp::from_millisecond(number) }.ok()
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
        let line: Exchange<'_> = serde_json::from_str(text)?;
        let inner = line.answer();
        let (answer, batch) = match (&inner, line.usage()) {
            (_, Some(_)) => (&line, false),
            (Some((answer, batch)), None) => (answer, *batch),
            (None, None) => {
                let reason = if line.is_one() { Reason::NoUsage } else { Reason::UnknownLine };
                log.skip(reason, number, "");
                return Ok(());
            }
        };
        let asked = [line.request, line.body, line.input].into_iter().flatten();
        let request = asked
            .filter_map(|raw| serde_json::from_str::<Request<'_>>(raw.get()).ok())
            .chain(std::iter::once_with(|| serde_json::from_str(text).ok()).flatten())
            .find(|request| !request.messages.is_empty() || request.limit().is_some());
        let request = request.unwrap_or_default();
        let model = [&answer.model, &answer.model_version, &line.model, &request.model];
        let model = model.into_iter().find_map(|model| model.as_deref()).unwrap_or(UNKNOWN_MODEL);
        let usage = answer.usage().map_or("", RawValue::get);
        let (provider, read) = read(model, usage, answer.service_tier.as_deref());
        let mut billed = match read {
            Ok(Some(billed)) => billed,
            Ok(None) => {
                log.skip(Reason::NoUsage, number, "");
                return Ok(());
            }
            Err(problem) => {
                log.skip(Reason::InvalidUsage, number, &problem);
                return Ok(());
            }
        };
        if batch {
            billed.served.insert(Dimension::Processing, "batch".to_owned());
        }
        let named = line.provider().or(answer.provider());
        let call = self.call(&line, answer, &request, number, log);
        log.calls.push(Logged {
            provider: self.names.keep(named.unwrap_or(provider)),
            model: self.names.keep(model),
            billed,
            ..call
        });
        Ok(())
    }

    fn call(
        &mut self,
        line: &Exchange<'_>,
        answer: &Exchange<'_>,
        request: &Request<'_>,
        number: u64,
        log: &Log,
    ) -> Logged {
        let names = &mut self.names;
        let id = answer.id.as_deref();
        let choices = answer.choices.map(|choices| choices.get()).unwrap_or("[]");
        let choices: Vec<Choice<'_>> = serde_json::from_str(choices).unwrap_or_default();
        let said: Vec<_> = choices.iter().filter_map(|choice| choice.message.as_ref()).collect();
        let offered = chat::offered(request.tools, names);
        let prompt = (!request.messages.is_empty()).then(|| {
            let mut prompt = chat::prompt(&request.messages, offered);
            prompt.system += request.system.map_or(0, crate::arguments::text_bytes);
            prompt
        });
        let session = line.session().or(answer.session());
        let session = session.map_or_else(|| Arc::clone(&log.file), |name| names.keep(name));
        Logged {
            key: id.map(|id| key(("answer", id))),
            at: answer.at().or_else(|| line.at()),
            id: id.map_or_else(|| format!("line {number}").into(), Into::into),
            tools: said.iter().flat_map(|message| message.tools(names)).collect(),
            prompt,
            wrote: said.iter().map(|message| message.bytes()).sum(),
            max_output: request.limit(),
            ..Logged::new(session, names.keep(""), names.keep(""))
        }
    }
}

/// Reads a usage by its own shape, and whose API has that shape.
pub(crate) fn read(
    model: &str,
    usage: &str,
    tier: Option<&str>,
) -> (&'static str, Result<Option<Billed>, String>) {
    let has = |name: &str| memchr::memmem::find(usage.as_bytes(), name.as_bytes()).is_some();
    if has("\"prompt_tokens\"") {
        return ("openai", billed(Dialect::OpenAiChat, model, usage, tier));
    }
    if has("\"promptTokenCount\"") {
        return ("google", billed(Dialect::Gemini, model, usage, tier));
    }
    if has("\"cache_read_input_tokens\"") || has("\"cache_creation_input_tokens\"") {
        return ("anthropic", billed(Dialect::Anthropic, model, usage, tier));
    }
    if has("\"input_tokens_details\"") || has("\"total_tokens\"") {
        return ("openai", billed(Dialect::OpenAiResponses, model, usage, tier));
    }
    ("anthropic", billed(Dialect::Anthropic, model, usage, tier))
}
