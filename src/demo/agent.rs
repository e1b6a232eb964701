//! A coding agent of the plainest kind: ask the model, carry out its tool calls, until it answers.

use anyhow::{Context, Result, bail};
use reqwest::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::tools::{self, Shop};

/// The model that the agent asks for.
pub(super) const MODEL: &str = "gpt-4.1";
const SYSTEM: &str = include_str!("sample/system.txt");
/// An agent that takes longer is going round in circles.
const TURNS_MAX: usize = 50;

/// What the agent did in one turn, which is one call of the model.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// The call's name in the ledger.
    pub(super) request_id: String,
    /// The tools that were called, or that there was an answer.
    pub(super) what: String,
    /// Whether the model's answer was streamed.
    pub(super) streamed: bool,
}

/// An agent in the middle of a conversation.
#[derive(Debug)]
pub(super) struct Agent {
    http: reqwest::Client,
    url: String,
    tools: Box<RawValue>,
    messages: Vec<Message>,
    shop: Shop,
    turns: Vec<Turn>,
}

/// What is sent to the model.
#[derive(Serialize)]
struct Ask<'a> {
    model: &'static str,
    messages: &'a [Message],
    tools: &'a RawValue,
    stream: bool,
}

#[derive(Debug, Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
enum Message {
    System { content: &'static str },
    User { content: String },
    Assistant(Answer),
    Tool { tool_call_id: String, content: String },
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Answer {
    content: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct ToolCall {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    function: Function,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Function {
    name: String,
    arguments: String,
}

// === impl Agent ===

impl Agent {
    /// An agent that reaches its model through `base_url`, as in `http://127.0.0.1:4141/v1`.
    pub(super) fn new(http: reqwest::Client, base_url: &str) -> Result<Agent> {
        Ok(Agent {
            http,
            url: format!("{base_url}/chat/completions"),
            tools: serde_json::from_str(tools::DEFINITIONS).context("the sample's tools")?,
            messages: vec![Message::System { content: SYSTEM }],
            shop: Shop::new(),
            turns: Vec::new(),
        })
    }

    /// Works on a question until it has an answer, telling of each turn.
    pub(super) async fn ask(&mut self, question: &str, mut told: impl FnMut(&Turn)) -> Result<()> {
        self.messages.push(Message::User { content: question.to_owned() });
        while self.turns.len() < TURNS_MAX {
            let number = self.turns.len() + 1;
            let turn = self.turn(number).await.with_context(|| format!("turn {number}"))?;
            told(&turn);
            self.turns.push(turn);
            if matches!(self.messages.last(), Some(Message::Assistant(_))) {
                return Ok(());
            }
        }
        bail!("the agent has no answer after {TURNS_MAX} turns");
    }

    /// All turns so far.
    pub(super) fn into_turns(self) -> Vec<Turn> {
        self.turns
    }

    async fn turn(&mut self, number: usize) -> Result<Turn> {
        // Real agents do either; here every other turn is streamed, so that both are seen.
        let streamed = number % 2 == 1;
        let (request_id, answer) = self.call_model(streamed).await?;
        let what = answer.what();
        let results: Vec<_> = answer.tool_calls.iter().map(|call| self.call_tool(call)).collect();
        self.messages.push(Message::Assistant(answer));
        self.messages.extend(results);
        Ok(Turn { request_id, what, streamed })
    }

    async fn call_model(&self, stream: bool) -> Result<(String, Answer)> {
        let ask = Ask { model: MODEL, messages: &self.messages, tools: &self.tools, stream };
        let request = self
            .http
            .post(&self.url)
            .header("x-farthing-user", "demo")
            .header("x-farthing-agent", "shop-fixer")
            .header("x-farthing-thread", "cents-off")
            .header("x-farthing-run", "fix")
            .json(&ask);
        let response = request.send().await.context("the gateway cannot be reached")?;
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let request_id = header("x-farthing-request-id");
        let is_stream = header(CONTENT_TYPE.as_str()).is_some_and(|t| t.starts_with("text/event"));
        let status = response.status();
        let body = response.text().await.context("the answer broke off")?;
        if !status.is_success() {
            bail!("the gateway answered {status}: {body}");
        }
        let request_id = request_id.context("the answer has no x-farthing-request-id")?;
        let answer = if is_stream { Answer::from_events(&body) } else { Answer::from_json(&body) };
        Ok((request_id, answer.context("the answer is not understood")?))
    }

    fn call_tool(&mut self, call: &ToolCall) -> Message {
        let Function { name, arguments } = &call.function;
        let content = self.shop.call(name, arguments);
        Message::Tool { tool_call_id: call.id.clone(), content }
    }
}

// === impl Answer ===

impl Answer {
    fn from_json(body: &str) -> Result<Answer> {
        #[derive(Deserialize)]
        struct Completion {
            choices: Vec<Choice>,
        }
        #[derive(Deserialize)]
        struct Choice {
            message: Answer,
        }
        let completion: Completion = serde_json::from_str(body)?;
        let choice = completion.choices.into_iter().next().context("there is no choice in it")?;
        Ok(choice.message)
    }

    fn from_events(body: &str) -> Result<Answer> {
        let mut answer = Answer::default();
        let events = body.lines().filter_map(|line| line.strip_prefix("data: "));
        for event in events.take_while(|event| *event != "[DONE]") {
            let chunk: Chunk = serde_json::from_str(event)?;
            for choice in chunk.choices {
                answer.add(choice.delta);
            }
        }
        Ok(answer)
    }

    fn add(&mut self, delta: Delta) {
        if let Some(content) = delta.content {
            self.content.get_or_insert_default().push_str(&content);
        }
        for more in delta.tool_calls {
            if let Some(id) = more.id {
                let kind = "function".to_owned();
                self.tool_calls.push(ToolCall { id, kind, function: Function::default() });
            }
            // Calls are streamed one after the other.
            if let Some(call) = self.tool_calls.last_mut() {
                call.function.name.push_str(&more.function.name);
                call.function.arguments.push_str(&more.function.arguments);
            }
        }
    }

    /// What the turn did, in a few words: `read_file tax.py`; of several calls, the tools.
    fn what(&self) -> String {
        match self.tool_calls.as_slice() {
            [] => "answers".to_owned(),
            [only] => only.function.what(),
            several => {
                let names: Vec<_> =
                    several.iter().map(|call| call.function.name.as_str()).collect();
                names.join(", ")
            }
        }
    }
}

// === impl Function ===

impl Function {
    fn what(&self) -> String {
        let Function { name, arguments } = self;
        let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
        let argument = |key: &str| arguments.get(key).and_then(Value::as_str);
        match (argument("text"), argument("path")) {
            (Some(text), _) => format!("{name} \"{text}\""),
            (None, Some(path)) => format!("{name} {path}"),
            (None, None) => name.clone(),
        }
    }
}

/// An event of a streamed answer.
#[derive(Deserialize)]
struct Chunk {
    choices: Vec<ChunkChoice>,
}

#[derive(Deserialize)]
struct ChunkChoice {
    delta: Delta,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    #[serde(default)]
    tool_calls: Vec<CallDelta>,
}

#[derive(Deserialize)]
struct CallDelta {
    id: Option<String>,
    function: FunctionDelta,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FunctionDelta {
    name: String,
    arguments: String,
}
