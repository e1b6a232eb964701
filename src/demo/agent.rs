//! A coding agent of the plainest kind: ask the model, carry out its tool calls, until it answers.

use std::fmt;

use anyhow::{Context, Result, bail};
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::Value;

use super::speaker::{Answer, Ask, Said, Speaker, ToolCall, ToolResult};
use super::tools::{self, Shop};

const SYSTEM: &str = include_str!("sample/system.txt");
/// An agent that takes longer is going round in circles.
const TURNS_MAX: usize = 50;

/// Who works on what.
#[derive(Debug)]
pub(super) struct Job {
    /// On whose account.
    pub(super) user: &'static str,
    /// The agent's name.
    pub(super) agent: &'static str,
    /// The conversation.
    pub(super) thread: &'static str,
    /// The model that it asks.
    pub(super) model: &'static str,
    /// How it speaks to it.
    pub(super) speaker: &'static dyn Speaker,
    /// The longest answer that it wants, in tokens.
    pub(super) tokens_max: u32,
    /// What it is asked, one after the other.
    pub(super) questions: &'static [&'static str],
}

/// What the agent did in one turn, which is one call of the model.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// Counts from 1.
    pub(super) number: usize,
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
    address: String,
    job: &'static Job,
    tools: Vec<Value>,
    said: Vec<Said>,
    shop: Shop,
    turns: Vec<Turn>,
}

/// A call that was not answered, and why.
#[derive(Debug, Serialize)]
pub(super) struct Refusal {
    pub(super) user: &'static str,
    pub(super) model: &'static str,
    pub(super) status: u16,
    /// The gateway's code for it; empty where the provider refused.
    pub(super) code: String,
    pub(super) message: String,
}

// === impl Agent ===

impl Agent {
    /// An agent that reaches its model through a gateway, as at `http://127.0.0.1:4141`.
    pub(super) fn new(
        http: reqwest::Client,
        address: &str,
        job: &'static Job,
        shop: Shop,
    ) -> Result<Agent> {
        Ok(Agent {
            http,
            address: address.to_owned(),
            job,
            tools: serde_json::from_str(tools::DEFINITIONS).context("the sample's tools")?,
            said: Vec::new(),
            shop,
            turns: Vec::new(),
        })
    }

    /// Works until all questions are answered, telling of each turn. Gives all turns, and the
    /// project as it is then.
    ///
    /// # Errors
    /// What went wrong; a [`Refusal`] where a call was not answered.
    pub(super) async fn work(mut self, mut told: impl FnMut(&Turn)) -> Result<(Vec<Turn>, Shop)> {
        for question in self.job.questions {
            self.said.push(Said::User(question));
            while !matches!(self.said.last(), Some(Said::Model(_))) {
                let number = self.turns.len() + 1;
                if number > TURNS_MAX {
                    bail!("the agent has no answer after {TURNS_MAX} turns");
                }
                let turn = self.turn(number).await.with_context(|| format!("turn {number}"))?;
                told(&turn);
                self.turns.push(turn);
            }
        }
        Ok((self.turns, self.shop))
    }

    async fn turn(&mut self, number: usize) -> Result<Turn> {
        // Real agents do either; here every other turn is streamed, so that both are seen.
        let streamed = number % 2 == 1;
        let (request_id, answer) = self.call_model(streamed).await?;
        let what = answer.what();
        let mut results = Vec::new();
        for ToolCall { id, name, arguments } in &answer.calls {
            results.push(ToolResult { id: id.clone(), text: self.shop.call(name, arguments) });
        }
        self.said.push(Said::Model(answer));
        if !results.is_empty() {
            self.said.push(Said::Results(results));
        }
        Ok(Turn { number, request_id, what, streamed })
    }

    async fn call_model(&self, stream: bool) -> Result<(String, Answer)> {
        let Job { user, agent, thread, model, speaker, tokens_max, .. } = *self.job;
        let (tools, said) = (&self.tools, &self.said);
        let ask = Ask { model, system: SYSTEM, tools, said, tokens_max, stream };
        let request = speaker
            .post(&self.http, &self.address)
            .header("x-farthing-user", user)
            .header("x-farthing-agent", agent)
            .header("x-farthing-thread", thread)
            .json(&speaker.body(&ask)?);
        let response = request.send().await.context("the gateway cannot be reached")?;
        let status = response.status();
        let request_id = header(&response, "x-farthing-request-id");
        let code = header(&response, "x-farthing-error");
        let kind = header(&response, CONTENT_TYPE.as_str()).unwrap_or_default();
        let body = response.text().await.context("the answer broke off")?;
        if !status.is_success() {
            let (status, code) = (status.as_u16(), code.unwrap_or_default());
            bail!(Refusal { user, model, status, code, message: message(&body) });
        }
        let request_id = request_id.context("the answer has no x-farthing-request-id")?;
        let answer = Answer::read(speaker, &body, kind.starts_with("text/event-stream"));
        Ok((request_id, answer.context("the answer is not understood")?))
    }
}

// === impl Refusal ===

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the gateway answered {}: {}", self.status, self.message)
    }
}

impl std::error::Error for Refusal {}

fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// What an error's body says; both APIs have it at the same place.
fn message(body: &str) -> String {
    let error: Value = serde_json::from_str(body).unwrap_or_default();
    error["error"]["message"].as_str().unwrap_or(body).to_owned()
}
