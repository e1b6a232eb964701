//! A request as the sequence of tokens that the model reads: its length is what is billed, its
//! beginning is what caches share.
//!
//! | part | GPT-4o and older | GPT-5 and o3 |
//! |---|---|---|
//! | a message | 3, its role, its text | 2, its role, its text |
//! | a name | 1 and its text | the same |
//! | tools | 9, before a system message 5, and their [namespace](super::tools) | 91, the same |
//! | a tool call | 5, the function's name, its arguments | 13, the same |
//! | several calls in one message | 18 more, for the call that wraps them | not known, 0 |
//! | a tool's result | the name of its function, beside what any message has | the same |
//! | the reply's beginning | 3 | 3 |
//!
//! Messages, names and the 3 at the end are
//! [published](https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken). The
//! figures for tools were fitted to usage that OpenAI reported: exact there where parameters are
//! flat, descriptions have one line and calls come one at a time, some tokens off elsewhere.
//! Images, audio, files and response formats are not counted.

use std::collections::HashMap;

use super::{
    models,
    request::{ChatRequest, Content, Message, Part, Role},
    tools,
};
use crate::tokenizer::Encoding;

/// Stands for the tokens that are in no text.
const MARK: u32 = u32::MAX;

struct Rules {
    message: usize,
    tools: usize,
    tools_before_system: usize,
    tool_call: usize,
    parallel_calls: usize,
}

const CLASSIC: Rules =
    Rules { message: 3, tools: 9, tools_before_system: 5, tool_call: 5, parallel_calls: 18 };
const GPT_5: Rules =
    Rules { message: 2, tools: 91, tools_before_system: 91, tool_call: 13, parallel_calls: 0 };
const NAME: usize = 1;
const REPLY: usize = 3;

/// The tokens of the whole prompt, tools first.
pub(super) fn render(request: &ChatRequest) -> Vec<u32> {
    let mut prompt = Prompt {
        tokens: Vec::new(),
        encoding: models::encoding(&request.model),
        rules: rules(&request.model),
        callees: callees(&request.messages),
    };
    prompt.tools(request);
    for message in &request.messages {
        prompt.message(message);
    }
    prompt.mark(REPLY);
    prompt.tokens
}

fn rules(model: &str) -> &'static Rules {
    let is_new = model.starts_with("gpt-5") || model.starts_with("o3");
    if is_new { &GPT_5 } else { &CLASSIC }
}

/// The function that each tool call went to, by the call's id.
fn callees(messages: &[Message]) -> HashMap<&str, &str> {
    let calls = messages.iter().flat_map(Message::calls);
    calls.map(|call| (call.id.as_str(), call.function.name.as_str())).collect()
}

struct Prompt<'a> {
    tokens: Vec<u32>,
    encoding: Encoding,
    rules: &'static Rules,
    callees: HashMap<&'a str, &'a str>,
}

impl Prompt<'_> {
    fn tools(&mut self, request: &ChatRequest) {
        if request.functions.is_empty() {
            return;
        }
        let is_system = |role| matches!(role, Role::System | Role::Developer);
        let has_system = request.messages.iter().any(|message| is_system(message.role));
        let Rules { tools, tools_before_system, .. } = self.rules;
        self.mark(if has_system { *tools_before_system } else { *tools });
        self.text(&tools::namespace(&request.functions));
    }

    fn message(&mut self, message: &Message) {
        self.mark(self.rules.message);
        self.text(message.role.name());
        if let Some(name) = &message.name {
            self.mark(NAME);
            self.text(name);
        }
        let callee = message.tool_call_id.as_deref().and_then(|id| self.callees.get(id).copied());
        self.text(callee.unwrap_or_default());
        match &message.content {
            Some(Content::Text(text)) => self.text(text),
            Some(Content::Parts(parts)) => {
                for part in parts {
                    self.part(part);
                }
            }
            None => {}
        }
        if message.calls().len() > 1 {
            self.mark(self.rules.parallel_calls);
        }
        for call in message.calls() {
            self.mark(self.rules.tool_call);
            self.text(&call.function.name);
            self.text(&call.function.arguments);
        }
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Text { text } | Part::Refusal { refusal: text } => self.text(text),
            Part::Other => {}
        }
    }

    fn text(&mut self, text: &str) {
        self.tokens.extend(self.encoding.encode(text));
    }

    fn mark(&mut self, tokens: usize) {
        self.tokens.extend(std::iter::repeat_n(MARK, tokens));
    }
}

#[cfg(test)]
#[path = "prompt_tests.rs"]
mod tests;
