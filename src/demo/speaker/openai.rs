//! OpenAI's chat completions.

use std::iter;

use anyhow::{Context, Result};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Ask, Said, Speaker, ToolCall};

/// Speaks OpenAI's dialect.
#[derive(Debug)]
pub(in crate::demo) struct OpenAi;

impl Speaker for OpenAi {
    fn post(&self, http: &Client, address: &str) -> RequestBuilder {
        http.post(format!("{address}/v1/chat/completions"))
    }

    fn body(&self, ask: &Ask<'_>) -> Result<Value> {
        let system = json!({ "role": "system", "content": ask.system });
        let messages: Vec<_> =
            iter::once(system).chain(ask.said.iter().flat_map(messages)).collect();
        Ok(json!({
            "model": ask.model,
            "messages": messages,
            "tools": ask.tools,
            "max_completion_tokens": ask.tokens_max,
            "stream": ask.stream,
        }))
    }

    fn whole(&self, body: &str) -> Result<Answer> {
        let completion: Completion = serde_json::from_str(body)?;
        let choice = completion.choices.into_iter().next().context("there is no choice in it")?;
        let mut answer = Answer::default();
        answer.add(choice.message);
        Ok(answer)
    }

    fn streamed(&self, events: &mut dyn Iterator<Item = &str>) -> Result<Answer> {
        let mut answer = Answer::default();
        for event in events.take_while(|event| *event != "[DONE]") {
            let completion: Completion = serde_json::from_str(event)?;
            for choice in completion.choices {
                answer.add(choice.message);
            }
        }
        Ok(answer)
    }
}

/// Each result of a tool is a message of its own.
fn messages(said: &Said) -> Vec<Value> {
    match said {
        Said::User(text) => vec![json!({ "role": "user", "content": text })],
        Said::Model(Answer { text, calls }) if calls.is_empty() => {
            vec![json!({ "role": "assistant", "content": text })]
        }
        Said::Model(Answer { text, calls }) => {
            let calls: Vec<_> = calls.iter().map(call).collect();
            vec![json!({ "role": "assistant", "content": text, "tool_calls": calls })]
        }
        Said::Results(results) => {
            let message = |id, text| json!({ "role": "tool", "tool_call_id": id, "content": text });
            results.iter().map(|result| message(&result.id, &result.text)).collect()
        }
    }
}

fn call(call: &ToolCall) -> Value {
    let ToolCall { id, name, arguments } = call;
    json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
}

/// A completion, or a chunk of one.
#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(alias = "delta")]
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    #[serde(default)]
    tool_calls: Vec<Call>,
}

/// A call, or more of one that was begun.
#[derive(Deserialize)]
struct Call {
    id: Option<String>,
    function: Function,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Function {
    name: String,
    arguments: String,
}

// === impl Answer ===

impl Answer {
    fn add(&mut self, message: Message) {
        if let Some(content) = message.content {
            self.add_text(&content);
        }
        for Call { id, function: Function { name, arguments } } in message.tool_calls {
            match id {
                Some(id) => self.add_call(id, name, arguments),
                None => self.add_arguments(&arguments),
            }
        }
    }
}
