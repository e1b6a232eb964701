//! Tokens that the lossless codecs save, per file: `codec_savings FILE...`.
//!
//! A `.jsonl` of conversations is counted as it is sent, every message in every request after it;
//! any other file is one text.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use farthing_optimize::codec::{CODECS, shorten};
use farthing_tokenizer::{Encoding, encoding};
use serde_json::Value;

fn count(text: &str) -> u64 {
    encoding(Encoding::O200kBase).count(text)
}

#[derive(Default)]
struct Sum {
    sent: u64,
    saved: u64,
    by: std::collections::BTreeMap<&'static str, u64>,
}

fn conversation(line: &str, sum: &mut Sum) {
    let trace: Value = serde_json::from_str(line).unwrap();
    let Some(messages) = trace["messages"].as_array() else { return };
    let role = |message: &Value| message["role"].as_str().unwrap_or_default().to_owned();
    let requests = messages.iter().filter(|message| role(message) == "assistant").count().max(1);
    let mut left = requests as u64;
    let tools = count(&trace["tools"].to_string());
    sum.sent += tools * left;
    for message in messages {
        if role(message) == "assistant" {
            left = left.saturating_sub(1);
        }
        let mut tokens = message["content"].as_str().map_or(0, count);
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            tokens += count(call["function"]["arguments"].as_str().unwrap_or_default());
            tokens += count(call["function"]["name"].as_str().unwrap_or_default());
        }
        sum.sent += tokens * left;
        if role(message) == "tool" {
            text(message["content"].as_str().unwrap_or_default(), left, sum);
        }
    }
}

fn text(text: &str, times: u64, sum: &mut Sum) {
    let Some(short) = shorten(text, CODECS, &count) else { return };
    sum.saved += (short.tokens_before - short.tokens_after) * times;
    let mut before = short.tokens_before;
    let mut current = text.to_owned();
    for codec in &short.codecs {
        current = codec.encode(&current).unwrap();
        let after = count(&current);
        *sum.by.entry(codec.name()).or_default() += (before - after) * times;
        before = after;
    }
}

fn main() {
    for path in std::env::args().skip(1) {
        let content = std::fs::read_to_string(&path).unwrap();
        let mut sum = Sum::default();
        if path.ends_with(".jsonl") {
            content.lines().for_each(|line| conversation(line, &mut sum));
        } else {
            sum.sent = count(&content);
            text(&content, 1, &mut sum);
        }
        let percent = 100.0 * sum.saved as f64 / sum.sent.max(1) as f64;
        println!("{:>10} of {:>10}  {percent:5.2} %  {:?}  {path}", sum.saved, sum.sent, sum.by);
    }
}
