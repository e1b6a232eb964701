//! Tokens that the lossless codecs save, per file: `codec_savings FILE...`.
//!
//! A `.jsonl` of conversations is counted as it is sent, every message in every request after it;
//! any other file is one text. `user:FILE` is a file whose user messages after the first are
//! observations; documents in tags are told by themselves.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::float_arithmetic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use farthing_optimize::codec::earlier::{Earlier, Place};
use farthing_optimize::codec::{CODECS, shorten};
use farthing_tokenizer::{Encoding, encoding};
use serde_json::Value;

fn count(text: &str) -> u64 {
    encoding(Encoding::O200kBase).count(text)
}

#[derive(Default)]
struct Sum {
    sent: u64,
    saved: BTreeMap<&'static str, u64>,
    needles: [usize; 2],
    edits: [usize; 2],
    lost: BTreeSet<String>,
}

struct Conversation<'s> {
    earlier: Earlier,
    before: String,
    after: String,
    observed: String,
    sum: &'s mut Sum,
}

impl Conversation<'_> {
    fn text(&mut self, place: Place, text: &str, times: u64) {
        let mut current = text.to_owned();
        if let Some(short) = shorten(text, CODECS, &count) {
            for codec in &short.codecs {
                let encoded = codec.encode(&current).unwrap();
                *self.sum.saved.entry(codec.name()).or_default() +=
                    (count(&current) - count(&encoded)) * times;
                current = encoded;
            }
        }
        if let Some(encoded) = self.earlier.encode(place, &current) {
            assert_eq!(self.earlier.decode(&encoded).as_deref(), Some(&*current));
            let (was, is) = (count(&current), count(&encoded));
            if is < was {
                *self.sum.saved.entry("earlier").or_default() += (was - is) * times;
                current = encoded;
            }
        }
        if std::env::var("SHOW").is_ok() && current != text {
            println!("=== {place}\n{current}");
        }
        self.keep(text, &current);
        self.observed.push_str(text);
        self.earlier.add(place, current);
    }

    fn keep(&mut self, before: &str, after: &str) {
        for (all, text) in [(&mut self.before, before), (&mut self.after, after)] {
            all.push_str(text);
            all.push('\n');
            // As an edit tool sees it: without the numbers of a file view.
            for line in text.lines() {
                let digits = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
                all.push_str(digits.strip_prefix(['\t', ':', '→', '|']).unwrap_or(line));
                all.push('\n');
            }
        }
    }

    fn used(&mut self, text: &str) {
        let words = text.split(|c: char| !c.is_alphanumeric() && !"_-./".contains(c));
        for word in words.map(|word| word.trim_matches('.')).filter(|word| word.len() > 3) {
            let special = word.contains(|c: char| c.is_ascii_digit() || "_/.".contains(c));
            if special && self.observed.contains(word) {
                self.sum.needles[1] += 1;
                self.sum.needles[0] += usize::from(self.after.contains(word));
                if !self.after.contains(word) {
                    self.sum.lost.insert(word.to_owned());
                }
            }
        }
    }

    fn edit(&mut self, arguments: &str) {
        let Ok(arguments) = serde_json::from_str::<Value>(arguments) else { return };
        for name in ["old_str", "old_string", "search"] {
            let Some(old) = arguments[name].as_str().filter(|old| !old.is_empty()) else {
                continue;
            };
            if self.before.contains(old) {
                self.sum.edits[1] += 1;
                self.sum.edits[0] += usize::from(self.after.contains(old));
                if !self.after.contains(old) {
                    self.sum.lost.insert(old.to_owned());
                }
            }
        }
    }
}

fn conversation(line: &str, user: bool, sum: &mut Sum) {
    let trace: Value = serde_json::from_str(line).unwrap();
    let Some(messages) = trace["messages"].as_array() else { return };
    let role = |message: &Value| message["role"].as_str().unwrap_or_default().to_owned();
    let requests = messages.iter().filter(|message| role(message) == "assistant").count().max(1);
    let mut left = requests as u64;
    sum.sent += count(&trace["tools"].to_string()) * left;
    let mut conversation = Conversation {
        earlier: Earlier::new(),
        before: String::new(),
        after: String::new(),
        observed: String::new(),
        sum,
    };
    let (mut results, mut users, mut calls) = (0, 0, 0);
    for (number, message) in messages.iter().enumerate() {
        let content = message["content"].as_str().unwrap_or_default();
        if role(message) == "assistant" {
            left = left.saturating_sub(1);
            conversation.used(content);
        }
        let mut tokens = count(content);
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            tokens += count(arguments);
            tokens += count(call["function"]["name"].as_str().unwrap_or_default());
            conversation.used(arguments);
            conversation.edit(arguments);
            calls += 1;
            let values = serde_json::from_str::<Value>(arguments).unwrap_or_default();
            for value in values.as_object().into_iter().flat_map(|object| object.values()) {
                if let Some(text) = value.as_str().filter(|text| text.contains('\n')) {
                    conversation.earlier.add(Place::ToolCall(calls), text);
                    conversation.keep(text, text);
                }
            }
        }
        conversation.sum.sent += tokens * left;
        users += usize::from(role(message) == "user");
        let place = Place::Message(number as u32 + 1);
        if role(message) == "tool" {
            results += 1;
            conversation.text(Place::ToolResult(results), content, left);
        } else if role(message) == "user" && user && users > 1 {
            conversation.text(place, content, left);
        } else if content.contains("<document index=") {
            for (at, document) in content.split("<document index=").enumerate().skip(1) {
                let body = document.split_once('>').unwrap().1;
                let body = body.split("</document>").next().unwrap();
                conversation.text(Place::Document(at as u32), body.trim_matches('\n'), left);
            }
        } else {
            conversation.earlier.add(place, content);
            conversation.keep(content, content);
        }
    }
}

fn main() {
    for argument in std::env::args().skip(1) {
        let (user, path) = match argument.strip_prefix("user:") {
            Some(path) => (true, path),
            None => (false, &argument[..]),
        };
        let content = std::fs::read_to_string(path).unwrap();
        let mut sum = Sum::default();
        if path.ends_with(".jsonl") {
            content.lines().for_each(|line| conversation(line, user, &mut sum));
        } else {
            sum.sent = count(&content);
            let message = serde_json::json!({"role": "tool", "content": content});
            conversation(&serde_json::json!({"messages": [message]}).to_string(), user, &mut sum);
            sum.sent = count(&content);
        }
        let saved: u64 = sum.saved.values().sum();
        let percent = 100.0 * saved as f64 / sum.sent.max(1) as f64;
        println!(
            "{saved:>8} of {:>8} {percent:5.2} % {:?} needles {:?} edits {:?} {path}",
            sum.sent, sum.saved, sum.needles, sum.edits
        );
        if std::env::var("LOST").is_ok() {
            println!("{:?}", sum.lost);
        }
    }
}
