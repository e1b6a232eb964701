//! Messages of a chat, as programs log what they sent: how long each part is, which tools were
//! called and offered.

use std::borrow::Cow;
use std::sync::Arc;

use farthing_core::advise::{Offered, ToolUse, Touch};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::arguments;
use crate::log::{Names, Prompt, hash};

/// A message of OpenAI's chat completions, or of Anthropic's messages.
#[derive(Deserialize)]
pub(crate) struct Message<'m> {
    #[serde(borrow, default)]
    pub(crate) role: Option<Cow<'m, str>>,
    #[serde(borrow, default)]
    pub(crate) content: Option<&'m RawValue>,
    #[serde(borrow, default)]
    pub(crate) tool_calls: Option<Vec<ToolCall<'m>>>,
    #[serde(borrow, default)]
    pub(crate) tool_call_id: Option<Cow<'m, str>>,
    #[serde(borrow, default)]
    pub(crate) ts: Option<&'m RawValue>,
    #[serde(borrow, default)]
    pub(crate) model: Option<Cow<'m, str>>,
    #[serde(borrow, default)]
    pub(crate) usage: Option<&'m RawValue>,
    /// Where mini-SWE-agent keeps the provider's own answer.
    #[serde(borrow, default)]
    pub(crate) extra: Option<&'m RawValue>,
}

#[derive(Deserialize)]
pub(crate) struct ToolCall<'m> {
    #[serde(borrow, default)]
    pub(crate) id: Option<Cow<'m, str>>,
    #[serde(borrow, default)]
    function: Option<Function<'m>>,
}

#[derive(Deserialize)]
struct Function<'m> {
    #[serde(borrow, default)]
    name: Option<Cow<'m, str>>,
    #[serde(borrow, default)]
    arguments: Option<Cow<'m, str>>,
}

/// A tool's definition, in either dialect.
#[derive(Deserialize)]
struct Definition<'m> {
    #[serde(borrow, default)]
    name: Option<Cow<'m, str>>,
    #[serde(borrow, default)]
    function: Option<Function<'m>>,
}

// === impl Message ===

impl<'m> Message<'m> {
    /// Its length as text.
    pub(crate) fn bytes(&self) -> u64 {
        let calls = self.tool_calls.iter().flatten().map(ToolCall::bytes).sum::<u64>();
        self.content.map_or(0, arguments::text_bytes) + calls
    }

    /// The tools that it called.
    pub(crate) fn tools(&self, names: &mut Names) -> Vec<ToolUse> {
        let calls = self.tool_calls.iter().flatten();
        calls.map(|call| call.tool(names)).collect()
    }
}

// === impl ToolCall ===

impl ToolCall<'_> {
    pub(crate) fn arguments(&self) -> &str {
        self.function.as_ref().and_then(|function| function.arguments.as_deref()).unwrap_or("")
    }

    fn bytes(&self) -> u64 {
        self.arguments().len() as u64
    }

    fn tool(&self, names: &mut Names) -> ToolUse {
        let name = self.function.as_ref().and_then(|function| function.name.as_deref());
        let name = name.unwrap_or("unknown");
        let file = arguments::file(self.arguments());
        ToolUse {
            name: names.keep(name),
            arguments: hash(self.arguments()),
            touches: match &file {
                Some(_) => touch(name, self.arguments()),
                None => Touch::Nothing,
            },
            file: file.map(|file| names.keep(&file)),
            result_bytes: 0,
            failed: None,
        }
    }
}

/// What a tool does to the file that it names, by the names that scaffolds use.
fn touch(tool: &str, arguments: &str) -> Touch {
    match tool {
        "open" | "open_file" | "read" | "read_file" | "view" | "view_file" => Touch::Reads,
        "create" | "edit" | "edit_file" | "insert" | "write" | "write_file" => Touch::Writes,
        // One tool for both, told apart by its command.
        "str_replace_editor" | "str_replace_based_edit_tool" => {
            let views = arguments.contains(r#""command": "view""#)
                || arguments.contains(r#""command":"view""#);
            if views { Touch::Reads } else { Touch::Writes }
        }
        _ => Touch::Nothing,
    }
}

/// The tools that a request offers.
pub(crate) fn offered(tools: Option<&RawValue>, names: &mut Names) -> Arc<[Offered]> {
    let definitions =
        tools.and_then(|tools| serde_json::from_str::<Vec<&RawValue>>(tools.get()).ok());
    let definitions = definitions.unwrap_or_default();
    let named = definitions.into_iter().filter_map(|raw| {
        let definition: Definition<'_> = serde_json::from_str(raw.get()).ok()?;
        let name = definition.function.and_then(|function| function.name).or(definition.name)?;
        Some(Offered { name: names.keep(&name), bytes: raw.get().len() as u64 })
    });
    named.collect()
}

/// A prompt that grows by messages.
#[derive(Debug)]
pub(crate) struct Growing {
    prompt: Prompt,
    hash: u64,
}

// === impl Growing ===

impl Growing {
    /// A prompt without messages, with the tools that it offers.
    pub(crate) fn new(offered: Arc<[Offered]>) -> Growing {
        let tools = offered.iter().map(|tool| tool.bytes).sum();
        Growing { prompt: Prompt { tools, offered, ..Prompt::default() }, hash: 0 }
    }

    /// Adds a message; gives the hash of all so far.
    pub(crate) fn push(&mut self, message: &Message<'_>) -> u64 {
        let (prompt, bytes) = (&mut self.prompt, message.bytes());
        match message.role.as_deref() {
            Some("system" | "developer") => prompt.system += bytes,
            Some("tool" | "function") => prompt.results += bytes,
            Some("user") => {
                // Only the newest is what the user says now.
                prompt.history += std::mem::replace(&mut prompt.user, bytes);
            }
            _ => prompt.history += bytes,
        }
        self.hash = hash((self.hash, message.content.map(RawValue::get), bytes));
        self.hash
    }

    /// The prompt as it is now.
    pub(crate) fn prompt(&self) -> Prompt {
        Prompt { hashes: Box::new([self.hash]), ..self.prompt.clone() }
    }
}

/// A whole prompt, with the hash of each of its beginnings.
pub(crate) fn prompt(messages: &[Message<'_>], offered: Arc<[Offered]>) -> Prompt {
    let mut growing = Growing::new(offered);
    let hashes = messages.iter().map(|message| growing.push(message)).collect();
    Prompt { hashes, ..growing.prompt() }
}
