//! Recorded conversations, as the requests that they were made of.

use std::io::{self, BufRead};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use farthing_core::prompt::Prompt;
use farthing_core::usage::CacheTtl;
use farthing_wire::Dialect;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::transcript;
use crate::cli::{dialects, input};

/// One conversation. Its requests repeat each other, so they are put together when needed.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) id: String,
    /// What is known of its agent: threads of one kind have habits in common.
    pub(super) kind: String,
    pub(super) dialect: Dialect,
    /// Where its requests went, where that is more than the dialect says.
    pub(super) uri: Option<String>,
    /// For how long its client had the prompt kept, where it broke it for the cache itself.
    pub(super) own_ttl: Option<CacheTtl>,
    /// The JSON around the messages of a request.
    pub(super) around: (String, &'static str),
    /// Every message, as JSON.
    pub(super) messages: Vec<String>,
    pub(super) requests: Vec<Sent>,
}

/// One request of a conversation. What stands behind its messages is the answer.
#[derive(Debug)]
pub(super) struct Sent {
    /// How many of the messages it has.
    pub(super) messages: usize,
    /// When it came, where the recording says.
    pub(super) at: Option<Timestamp>,
    /// The tokens of the answer, where the recording says.
    pub(super) output: Option<u64>,
}

/// A line of a trace: a conversation, or a request by itself.
#[derive(Deserialize)]
struct Line<'l> {
    id: Option<String>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    api: Option<String>,
    #[serde(borrow, default)]
    tools: Option<&'l RawValue>,
    #[serde(borrow, default)]
    messages: Option<Vec<&'l RawValue>>,
    #[serde(default)]
    uri: Option<String>,
    #[serde(borrow, default)]
    body: Option<&'l RawValue>,
}

/// What is looked at in a recorded message.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    role: String,
    #[serde(default)]
    ts: Option<Value>,
    #[serde(default)]
    usage: Option<Value>,
}

/// Reads the conversations of a file, one after the other.
pub(super) struct Reader {
    lines: Box<dyn BufRead>,
    name: String,
    number: u64,
    /// How many bytes were read.
    pub(super) bytes: u64,
    /// How many lines have a request that cannot be read.
    pub(super) skipped: u64,
    transcript: Option<Vec<String>>,
}

// === impl Reader ===

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Reader> {
        let name = input::name(path);
        let lines = input::open(path)?;
        Ok(Reader { lines, name, number: 0, bytes: 0, skipped: 0, transcript: None })
    }

    /// The next conversation; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Conversation>> {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line);
            let read = read.map_err(|error| self.unreadable(&error))?;
            if read == 0 {
                let lines = self.transcript.take();
                return Ok(lines.and_then(|lines| transcript::conversation(&lines)));
            }
            self.number += 1;
            self.bytes += read as u64;
            if line.trim().is_empty() {
                continue;
            }
            if self.transcript.is_some() || (self.number == 1 && transcript::is_line(&line)) {
                self.transcript.get_or_insert_default().push(line);
                continue;
            }
            match conversation(&line, self.number) {
                Ok(conversation) => return Ok(Some(conversation)),
                Err(Unusable::Skipped) => self.skipped += 1,
                Err(Unusable::Malformed(error)) => {
                    return Err(error)
                        .with_context(|| format!("{}, line {}", self.name, self.number));
                }
            }
        }
    }

    fn unreadable(&self, error: &io::Error) -> anyhow::Error {
        anyhow!("{}, line {}: {error}", self.name, self.number + 1)
    }
}

enum Unusable {
    /// A request in a dialect that is not ours.
    Skipped,
    Malformed(anyhow::Error),
}

fn conversation(line: &str, number: u64) -> Result<Conversation, Unusable> {
    let line: Line =
        serde_json::from_str(line).context("it is no conversation").map_err(Unusable::Malformed)?;
    let id = line.id.clone().unwrap_or_else(|| number.to_string());
    if let Some(body) = line.body {
        return single(id, line.uri, body);
    }
    let Some(messages) = &line.messages else {
        return Err(Unusable::Malformed(anyhow!(
            "it has no `messages` and no `body`; give conversations, requests or a transcript"
        )));
    };
    let dialect = match line.api.as_deref() {
        None | Some("openai-chat") => Dialect::OpenAiChat,
        Some(api) => api.parse().map_err(|_| Unusable::Skipped)?,
    };
    let read = |raw: &&RawValue| {
        let message: Message = serde_json::from_str(raw.get())?;
        let plain = message.plain(raw)?;
        anyhow::Ok((message, plain))
    };
    let read = messages.iter().map(read).collect::<Result<Vec<_>>>();
    let (read, messages): (Vec<_>, Vec<_>) =
        read.context("a message cannot be read").map_err(Unusable::Malformed)?.into_iter().unzip();
    Ok(Conversation {
        id,
        kind: line.kind.unwrap_or_default(),
        dialect,
        uri: None,
        own_ttl: None,
        around: (head(line.tools), "]}"),
        messages,
        requests: requests(&read).map_err(Unusable::Malformed)?,
    })
}

fn single(id: String, uri: Option<String>, body: &RawValue) -> Result<Conversation, Unusable> {
    let bytes = Bytes::copy_from_slice(body.get().as_bytes());
    let request = dialects::parse(None, uri.as_deref(), bytes);
    Ok(Conversation {
        id,
        kind: "request".to_owned(),
        dialect: request.map_err(|_| Unusable::Skipped)?.dialect,
        uri,
        own_ttl: None,
        around: (body.get().to_owned(), ""),
        messages: Vec::new(),
        requests: vec![Sent { messages: 0, at: None, output: None }],
    })
}

/// A request for each answer of the model, and one for what stands behind the last.
fn requests(messages: &[Message]) -> Result<Vec<Sent>> {
    let is_answer = |message: &Message| message.role == "assistant";
    let mut requests = Vec::new();
    let mut before: Option<&Message> = None;
    for (index, message) in messages.iter().enumerate() {
        if let Some(asked) = before.filter(|before| is_answer(message) && !is_answer(before)) {
            let at = message.at().or_else(|| asked.at());
            requests.push(Sent { messages: index, at, output: message.output() });
        }
        before = Some(message);
    }
    if let Some(last) = before.filter(|last| !is_answer(last)) {
        requests.push(Sent { messages: messages.len(), at: last.at(), output: None });
    }
    if requests.is_empty() {
        bail!("it has no message that could be answered");
    }
    Ok(requests)
}

/// The JSON in front of a request's messages.
fn head(tools: Option<&RawValue>) -> String {
    let tools = tools.map_or("[]", RawValue::get);
    // An empty array of tools is refused by providers, and no client sends one.
    if tools.trim_start_matches(['[', ' ']).starts_with(']') {
        return r#"{"model":"replayed","messages":["#.to_owned();
    }
    format!(r#"{{"model":"replayed","tools":{tools},"messages":["#)
}

// === impl Conversation ===

impl Conversation {
    /// The body of a request.
    pub(super) fn body(&self, request: &Sent) -> Bytes {
        let messages = self.messages.get(..request.messages).unwrap_or_default();
        [&self.around.0, &*messages.join(","), self.around.1].concat().into()
    }

    /// A body of one of its requests, read.
    pub(super) fn read(&self, body: Bytes) -> Result<Prompt> {
        let request = dialects::parse(Some(self.dialect), self.uri.as_deref(), body);
        let request = request.map_err(|problem| anyhow!("conversation {}: {problem}", self.id))?;
        Ok(request.prompt)
    }

    /// What the model answered to a request, as JSON; empty where it is not known.
    pub(super) fn answer(&self, request: &Sent) -> &str {
        self.messages.get(request.messages).map_or("", String::as_str)
    }
}

// === impl Message ===

impl Message {
    fn at(&self) -> Option<Timestamp> {
        timestamp(self.ts.as_ref()?)
    }

    fn output(&self) -> Option<u64> {
        let usage = self.usage.as_ref()?;
        ["output_tokens", "completion_tokens"].iter().find_map(|name| usage.get(name)?.as_u64())
    }

    /// The message without what the recording added to it.
    fn plain(&self, raw: &RawValue) -> Result<String> {
        if self.ts.is_none() && self.usage.is_none() {
            return Ok(raw.get().to_owned());
        }
        let mut message: serde_json::Map<String, Value> = serde_json::from_str(raw.get())?;
        message.remove("ts");
        message.remove("usage");
        Ok(serde_json::to_string(&message)?)
    }
}

/// A moment as text, or as seconds or milliseconds since 1970.
pub(super) fn timestamp(value: &Value) -> Option<Timestamp> {
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => {
            let whole = number.as_i64().or_else(|| {
                let text = number.to_string();
                text.split('.').next()?.parse().ok()
            })?;
            if whole < MILLISECONDS_FROM {
                Timestamp::from_second(whole).ok()
            } else {
                Timestamp::from_millisecond(whole).ok()
            }
        }
        _ => None,
    }
}
