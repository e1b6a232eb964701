//! Search results: the same path on line after line.

use std::borrow::Cow;

use crate::codec::marker::{self, OPEN, Verb};
use crate::codec::{Codec, estimate};

/// Writes a path once that several lines in a row begin with, as search tools print them:
///
/// ```text
/// [§ next 2 lines begin with src/engine/flow.rs:]
/// 14:pub fn run(
/// 90:    run(call)
/// ```
///
/// Only a path to its very end is taken out, never a folder that paths have in common: an agent
/// goes on to use whole paths, and has to find them as they are.
///
/// Canonical form: the text itself.
#[derive(Clone, Copy, Debug)]
pub struct Paths;

/// The path that a line begins with, its colon included, and something behind it.
fn path(line: &str) -> Option<&str> {
    let end = memchr::memchr2(b':', b' ', line.as_bytes())?;
    let (path, rest) = line.split_at(end + 1);
    let is_path = path.ends_with(':') && path.contains('/') && !rest.trim().is_empty();
    (is_path && !rest.starts_with("//") && !path.contains(['\t', ']', '['])).then_some(path)
}

// === impl Paths ===

impl Codec for Paths {
    fn name(&self) -> &'static str {
        "paths"
    }

    fn encode(&self, text: &str) -> Option<String> {
        if marker::has(text, &[Verb::Prefix]) {
            return None;
        }
        let lines: Vec<&str> = text.split('\n').collect();
        let mut encoded = String::with_capacity(text.len());
        let mut at = 0;
        while at < lines.len() {
            let path = path(lines[at]).unwrap_or_default();
            let begins = |line: &&&str| !path.is_empty() && line.starts_with(path);
            let count = lines[at..].iter().take_while(begins).count();
            let head = (count > 1)
                .then(|| format!("{OPEN}{}{count} lines begin with {path}]\n", Verb::Prefix.word()))
                .filter(|head| count * estimate(path) > estimate(head));
            if let Some(head) = head {
                encoded.push_str(&head);
                for line in &lines[at..at + count] {
                    encoded.push_str(&line[path.len()..]);
                    encoded.push('\n');
                }
                at += count;
            } else {
                encoded.push_str(lines[at]);
                encoded.push('\n');
                at += 1;
            }
        }
        encoded.pop();
        (encoded.len() < text.len()).then_some(encoded)
    }

    fn decode(&self, text: &str) -> Option<String> {
        let mut decoded = String::with_capacity(2 * text.len());
        let mut lines = text.split('\n');
        let mut found = false;
        while let Some(line) = lines.next() {
            let Some(says) = Verb::Prefix.line(line) else {
                decoded.push_str(line);
                decoded.push('\n');
                continue;
            };
            let (count, path) = says.split_once(" lines begin with ")?;
            for _ in 0..count.parse::<usize>().ok()? {
                decoded.push_str(path);
                decoded.push_str(lines.next()?);
                decoded.push('\n');
            }
            found = true;
        }
        decoded.pop();
        found.then_some(decoded)
    }

    fn canonical<'t>(&self, text: &'t str) -> Cow<'t, str> {
        Cow::Borrowed(text)
    }
}
