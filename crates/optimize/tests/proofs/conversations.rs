//! Conversations as the requests of a client that tells the whole story each time.

use bytes::Bytes;
use farthing_core::prompt::{Prompt, Role};
use farthing_core::usage::CacheTtl;
use farthing_optimize::caching::{Lifetime, Placement};
use farthing_optimize::edit::{undone, undos};
use farthing_optimize::{
    Caching, Habits, Mode, Observations, Optimized, Optimizer, Situation, Syntax, Thread,
};
use farthing_tokens::Counter;
use farthing_wire::Dialect;
use jiff::SignedDuration;
use serde_json::Value;

pub const MODEL: &str = "claude-sonnet-4-5";

/// A conversation of messages as JSON.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub dialect: Dialect,
    pub tools: Option<Value>,
    pub messages: Vec<Value>,
    pub observations: Observations,
}

/// An optimizer that remembers.
pub fn optimizer() -> Optimizer {
    Optimizer::new(Counter::embedded().unwrap(), 64 << 20)
}

/// A cache as Anthropic has it.
pub fn caching() -> Caching {
    let lifetime =
        |ttl, minutes, write| Lifetime { ttl, lasts: SignedDuration::from_mins(minutes), write };
    Caching {
        read: 100,
        lifetimes: vec![
            lifetime(CacheTtl::FiveMinutes, 5, 1_250),
            lifetime(CacheTtl::OneHour, 60, 2_000),
        ],
        min_tokens: 1_024,
        placement: Placement::Breakpoints { most: 4, look_back: 20 },
    }
}

/// The situation of a request in `safe` mode.
pub fn situation<'a>(caching: &'a Caching, thread: &'a Thread) -> Situation<'a> {
    Situation {
        mode: Mode::Safe,
        owner: "tenant/user",
        model: MODEL,
        tokens: 0,
        caching,
        card: None,
        syntax: Syntax::None,
        observations: Observations::Tool,
        thread,
        habits: Habits::default(),
        kept_warm: false,
        now: None,
    }
}

// === impl Conversation ===

impl Conversation {
    /// The request with the first `count` messages.
    pub fn request(&self, count: usize) -> Prompt {
        let mut body = String::from("{\"model\":\"m\",\"max_tokens\":9,");
        if let Some(tools) = &self.tools {
            body.push_str(&format!("\"tools\":{tools},"));
        }
        let messages = Value::from(self.messages[..count].to_vec());
        body.push_str(&format!("\"messages\":{messages}}}"));
        self.read(body.into())
    }

    pub fn read(&self, body: Bytes) -> Prompt {
        self.dialect.parse(body).unwrap().prompt
    }

    /// A request, optimized by an optimizer that knows nothing else.
    pub fn alone(&self, count: usize) -> (Prompt, Optimized) {
        let prompt = self.request(count);
        let (caching, thread) = (caching(), Thread::default());
        let situation =
            Situation { observations: self.observations, ..situation(&caching, &thread) };
        let optimized = optimizer().optimize(&prompt, &situation);
        (prompt, optimized)
    }

    /// Holds all that can be held of a conversation without asking a model.
    pub fn prove(&self) {
        let counter = Counter::embedded().unwrap();
        let optimizer = optimizer();
        let (caching, mut thread) = (caching(), Thread::default());
        let mut before: Option<Vec<u8>> = None;
        for count in 1..=self.messages.len() {
            let prompt = self.request(count);
            let situation =
                Situation { observations: self.observations, ..situation(&caching, &thread) };
            let optimized = optimizer.optimize(&prompt, &situation);
            let body = optimized.apply(&prompt.body);
            let sent = self.read(body.clone());

            let begins = &sent.body[..sent.messages.last().unwrap().span.end];
            if let Some(before) = before {
                assert!(begins.starts_with(&before), "the prefix of request {count} changed");
            }
            before = Some(begins.to_vec());

            let tokens = |prompt| counter.count(MODEL, prompt).by_kind.total();
            assert!(tokens(&sent) <= tokens(&prompt), "request {count} has more tokens");
            let undos = undos(&prompt.body, &optimized.edits);
            assert_eq!(undone(&body, undos).as_ref(), Some(&prompt.body), "not taken back");
            self.only_observations_changed(&prompt, &sent);
            thread = optimized.thread;
        }
        self.idempotent();
    }

    fn only_observations_changed(&self, prompt: &Prompt, sent: &Prompt) {
        assert_eq!(prompt.messages.len(), sent.messages.len());
        for (came, sent_message) in prompt.messages.iter().zip(&sent.messages) {
            let typed = match came.role {
                Role::System | Role::Assistant => true,
                Role::User => {
                    self.observations == Observations::Tool
                        && !prompt.raw(&came.span).contains("<document")
                }
                Role::Tool => false,
            };
            if typed {
                assert_eq!(prompt.raw(&came.span), sent.raw(&sent_message.span));
            }
            let id = |prompt: &Prompt, message: &farthing_core::prompt::Message| {
                message.answers.as_ref().map(|id| prompt.raw(&id.0).to_owned())
            };
            assert_eq!(id(prompt, came), id(sent, sent_message));
        }
        let tools = |prompt: &Prompt| {
            let tools = prompt.tools.iter().map(|tool| prompt.raw(&tool.span).to_owned());
            tools.collect::<Vec<_>>()
        };
        assert_eq!(tools(prompt), tools(sent));
    }

    /// What was optimized is not optimized any further; and what remembers gives the same bytes as
    /// what does not.
    fn idempotent(&self) {
        let (prompt, optimized) = self.alone(self.messages.len());
        let once = self.read(optimized.apply(&prompt.body));
        let (caching, thread) = (caching(), Thread::default());
        let situation =
            Situation { observations: self.observations, ..situation(&caching, &thread) };
        let again = optimizer().optimize(&once, &situation);
        let changed: Vec<_> = again.edits.iter().map(|edit| once.raw(&edit.at)).collect();
        assert!(again.edits.is_empty(), "optimized twice: {changed:?} to {:?}", again.edits);

        let optimizer = optimizer();
        for count in 1..self.messages.len() {
            optimizer.optimize(&self.request(count), &situation);
        }
        let remembered = optimizer.optimize(&prompt, &situation);
        assert_eq!(remembered.edits, optimized.edits, "memory changes what is sent");
    }
}
