//! The same provider, asked as Anthropic's clients ask.

mod answers;
mod caching;
mod faults;
mod requests;
mod streams;

use serde_json::{Value, json};

/// A request of a few words, for a whole answer.
fn hello() -> Value {
    json!({
        "model": "claude-sonnet-4-5", "max_tokens": 1_000,
        "messages": [{"role": "user", "content": "Hello"}],
    })
}

/// `hello` for a stream.
fn streamed() -> Value {
    let mut body = hello();
    body["stream"] = json!(true);
    body
}
