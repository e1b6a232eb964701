//! OpenAI's embeddings, <https://platform.openai.com/docs/api-reference/embeddings>: a vector made
//! up for each text, the same one for the same text.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::StatusCode;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::ApiError, models};
use crate::{
    Usage, UsageFault,
    reply::{Reply, json as response},
    server::Received,
    usage::Count,
};

/// What `text-embedding-3-small` gives where nothing else is asked for.
const DIMENSIONS: usize = 1_536;
/// The longest vector of any model.
const DIMENSIONS_MAX: usize = 3_072;

#[derive(Debug, Deserialize)]
struct Body {
    model: Option<String>,
    input: Option<Input>,
    encoding_format: Option<Format>,
    dimensions: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Tokens(Vec<u32>),
    Texts(Vec<String>),
    TokenLists(Vec<Vec<u32>>),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Float,
    Base64,
}

/// Answers `POST /v1/embeddings`.
pub(super) fn answer(received: &Received) -> Result<Reply, ApiError> {
    let body: Body = serde_json::from_slice(&received.body).map_err(|error| {
        ApiError::invalid(None, format!("the body is not an embeddings request: {error}"))
    })?;
    let model = body.model.ok_or_else(|| ApiError::missing("model"))?;
    if !models::is_known(&model) {
        return Err(ApiError::unknown_model(&model));
    }
    let inputs = body.input.ok_or_else(|| ApiError::missing("input"))?.tokens(&model);
    let dimensions = body.dimensions.unwrap_or(DIMENSIONS);
    if !(1..=DIMENSIONS_MAX).contains(&dimensions) {
        let message = format!("dimensions is {dimensions}: ask for 1 to {DIMENSIONS_MAX}");
        return Err(ApiError::invalid("dimensions", message));
    }
    let prompt_tokens = inputs.iter().map(|tokens| tokens.len() as u64).sum();
    let usage = Usage { prompt_tokens, ..Usage::default() };
    let vectors = inputs.iter().enumerate().map(|(index, tokens)| {
        let vector = encoded(&vector(tokens, dimensions), body.encoding_format);
        json!({ "object": "embedding", "index": index, "embedding": vector })
    });
    let mut answer = json!({
        "object": "list",
        "data": vectors.collect::<Vec<_>>(),
        "model": model,
    });
    if let Some(report) = report(usage, received.usage_fault()) {
        answer["usage"] = report;
    }
    Ok(Reply::Whole { response: response(StatusCode::OK, &answer), usage: Some(usage) })
}

impl Input {
    fn tokens(self, model: &str) -> Vec<Vec<u32>> {
        let encode = |text: &String| models::encoding(model).encode(text);
        match self {
            Self::Text(text) => vec![encode(&text)],
            Self::Tokens(tokens) => vec![tokens],
            Self::Texts(texts) => texts.iter().map(encode).collect(),
            Self::TokenLists(lists) => lists,
        }
    }
}

/// What is said of `usage`; `None` if a fault keeps it back.
fn report(usage: Usage, fault: Option<UsageFault>) -> Option<Value> {
    let count = |tokens| Count::of(tokens, fault);
    let (prompt, total) = match fault {
        Some(UsageFault::Missing) => return None,
        Some(UsageFault::Negative) => (Count::Negative(-1), count(usage.total_tokens())),
        Some(UsageFault::WrongTotal) => {
            (count(usage.prompt_tokens), count(usage.total_tokens() + 1))
        }
        _ => (count(usage.prompt_tokens), count(usage.total_tokens())),
    };
    Some(json!({ "prompt_tokens": prompt, "total_tokens": total }))
}

/// Whole numbers, which both formats write exactly.
fn vector(tokens: &[u32], dimensions: usize) -> Vec<f32> {
    let number = |dimension: usize| {
        let mut hasher = DefaultHasher::new();
        (tokens, dimension).hash(&mut hasher);
        let [first, second, ..] = hasher.finish().to_le_bytes();
        f32::from(i16::from_le_bytes([first, second]))
    };
    (0..dimensions).map(number).collect()
}

fn encoded(vector: &[f32], format: Option<Format>) -> Value {
    match format {
        None | Some(Format::Float) => json!(vector),
        Some(Format::Base64) => {
            let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
            json!(BASE64_STANDARD.encode(bytes))
        }
    }
}
