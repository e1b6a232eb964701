//! Recorded requests, answers and streams of each dialect, and what is read from them.
//!
//! `golden/<dialect>/` holds `x.request.json`, `x.answer.json` and `x.stream`, each with a `.txt`
//! that says what is read; `x.stream.stripped` is the stream as it comes where nobody asks for
//! usage, if that makes a difference to its dialect. With `UPDATE_GOLDEN=1` the expectations are written anew: read the difference.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test, helpers included")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use farthing_core::prompt::{Part, Prompt};
use farthing_core::usage::Usage;
use farthing_wire::{Dialect, ModelUsage, Reported, Request};

#[test]
fn requests_are_read_and_sent_on_as_recorded() {
    for (dialect, path, body) in recorded(".request.json") {
        let request = dialect.parse(body).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        compare(&path, "txt", described(&request).as_bytes());
    }
}

#[test]
fn answers_are_read_as_recorded() {
    for (dialect, path, body) in recorded(".answer.json") {
        let answer = dialect.read_answer(&body).unwrap();
        let mut text = String::new();
        writeln!(text, "model {:?}", answer.model).unwrap();
        writeln!(text, "served {:?}", answer.served).unwrap();
        writeln!(text, "usage {}", reported(&answer.usage)).unwrap();
        if let Some(usd) = answer.charged {
            writeln!(text, "charged {usd}").unwrap();
        }
        writeln!(text, "finish reason {:?}", answer.finish_reason).unwrap();
        writeln!(text, "error {:?}", answer.error).unwrap();
        writeln!(text, "text {:?}", answer.text()).unwrap();
        compare(&path, "txt", text.as_bytes());
    }
}

#[test]
fn streams_are_read_as_recorded_however_they_arrive() {
    for (dialect, path, stream) in recorded(".stream") {
        for size in [1, 2, 3, 7, 64, stream.len()] {
            let (text, passed) = streamed(dialect, &stream, size, false);
            compare(&path, "txt", text.as_bytes());
            assert_eq!(passed, stream, "{path:?} in pieces of {size}");

            let (text, stripped) = streamed(dialect, &stream, size, true);
            compare(&path, "txt", text.as_bytes());
            match reports_usage_unasked(dialect) {
                false => compare(&path, "stripped", stripped.as_bytes()),
                true => assert_eq!(stripped, stream, "{path:?}"),
            }
        }
    }
}

#[test]
fn line_ends_make_no_difference_to_what_is_stripped() {
    for (dialect, path, stream) in recorded(".stream") {
        let stripped = match reports_usage_unasked(dialect) {
            false => fs::read_to_string(expected_path(&path, "stripped")).unwrap(),
            true => String::from_utf8(stream.to_vec()).unwrap(),
        };
        for line_end in ["\r\n", "\r"] {
            let stream = String::from_utf8_lossy(&stream).replace('\n', line_end).into();
            for size in [1, 2, 3, 7, 64, usize::MAX] {
                let (_, out) = streamed(dialect, &stream, size, true);
                assert_eq!(out, stripped.replace('\n', line_end), "{path:?}, pieces of {size}");
            }
        }
    }
}

/// Whether streams report usage of themselves, so that nothing of it is ever taken out.
fn reports_usage_unasked(dialect: Dialect) -> bool {
    dialect != Dialect::OpenAiChat
}

/// What a stream in pieces of `size` bytes says, and what passes of it.
fn streamed(dialect: Dialect, stream: &Bytes, size: usize, strip: bool) -> (String, String) {
    let mut reader = dialect.stream_reader(strip);
    let mut out = Vec::new();
    for piece in stream.chunks(size) {
        reader.push(Bytes::copy_from_slice(piece), &mut |bytes| out.extend_from_slice(&bytes));
    }
    reader.finish(&mut |bytes| out.extend_from_slice(&bytes));
    let mut text = String::new();
    writeln!(text, "model {:?}", reader.model()).unwrap();
    writeln!(text, "served {:?}", reader.served()).unwrap();
    writeln!(text, "usage {}", reported(reader.usage())).unwrap();
    if let Some(usd) = reader.charged() {
        writeln!(text, "charged {usd}").unwrap();
    }
    writeln!(text, "finish reason {:?}", reader.finish_reason()).unwrap();
    writeln!(text, "finished {}", reader.finished()).unwrap();
    writeln!(text, "error {:?}", reader.error()).unwrap();
    writeln!(text, "text {:?}", reader.text()).unwrap();
    writeln!(text, "unread bytes {}", reader.unread_bytes()).unwrap();
    (text, String::from_utf8(out).unwrap())
}

fn reported(usage: &Reported) -> String {
    let json = |usage: &Usage| serde_json::to_string(usage).unwrap();
    match usage {
        Reported::Valid(usage) => json(usage),
        Reported::PromptOnly(usage) => format!("{} for the prompt", json(usage)),
        Reported::Joint { own, others } => {
            let others = others
                .iter()
                .map(|ModelUsage { model, usage }| format!(" and {} by {model}", json(usage)));
            json(own) + &others.collect::<String>()
        }
        unusable => format!("{unusable:?}"),
    }
}

fn described(request: &Request) -> String {
    let mut text = String::new();
    writeln!(text, "model {}", request.model).unwrap();
    writeln!(text, "stream {}", request.stream).unwrap();
    writeln!(text, "max output {:?}", request.max_output).unwrap();
    writeln!(text, "answers {}", request.answers).unwrap();
    writeln!(text, "served asked {:?}", request.served_asked).unwrap();
    writeln!(text, "cache asked {:?}", request.cache_asked).unwrap();
    writeln!(text, "labels {:?}", request.labels).unwrap();
    describe_prompt(&request.prompt, &mut text);

    let (body, outgoing) = (&request.prompt.body, request.outgoing());
    let same = body.iter().zip(&outgoing.body).take_while(|(a, b)| a == b).count();
    let ends = body.iter().skip(same).rev().zip(outgoing.body.iter().skip(same).rev());
    let same_end = ends.take_while(|(a, b)| a == b).count();
    let part =
        |body: &Bytes| String::from_utf8_lossy(&body[same..body.len() - same_end]).into_owned();
    writeln!(text, "usage added {}", outgoing.usage_added).unwrap();
    writeln!(text, "outgoing at {same}: {:?} -> {:?}", part(body), part(&outgoing.body)).unwrap();
    text
}

fn describe_prompt(prompt: &Prompt, text: &mut String) {
    for message in &prompt.messages {
        let name = message.name.as_ref().map(|name| prompt.text(name));
        let span = abridged(prompt.raw(&message.span));
        writeln!(text, "{:?} {name:?} {span}", message.role).unwrap();
        for part in &message.parts {
            match part {
                Part::Text(literal) => writeln!(text, "  text {:?}", prompt.text(literal)),
                Part::Image(span) => writeln!(text, "  image {}", prompt.raw(span)),
                Part::Thought(span) => writeln!(text, "  thought {}", prompt.raw(span)),
                Part::Other(span) => writeln!(text, "  other {}", prompt.raw(span)),
            }
            .unwrap();
        }
        if let Some(call) = &message.answers {
            let failed = if message.is_error { ", which failed" } else { "" };
            writeln!(text, "  answers {}{failed}", prompt.text(call)).unwrap();
        }
        for document in &message.documents {
            writeln!(text, "  document {}", abridged(prompt.raw(document))).unwrap();
        }
        for call in &message.tool_calls {
            let (name, arguments) = (prompt.text(&call.name), prompt.text(&call.arguments));
            let id = call.id.as_ref().map(|id| prompt.text(id)).unwrap_or_default();
            writeln!(text, "  calls {name} {arguments} {id}").unwrap();
        }
    }
    for tool in &prompt.tools {
        writeln!(text, "tool {}", prompt.raw(&tool.span)).unwrap();
    }
    let format = prompt.response_format.as_ref().map(|span| prompt.raw(span));
    writeln!(text, "response format {format:?}").unwrap();
    writeln!(text, "{:?}", prompt.demands).unwrap();
    for marker in &prompt.cache_markers {
        let how = if marker.automatic { "where the provider likes" } else { "here" };
        let at = abridged(&String::from_utf8_lossy(&prompt.body[..marker.span.end]));
        writeln!(text, "cached {:?} {how} {at}", marker.ttl).unwrap();
    }
    if prompt.unseen {
        writeln!(text, "and more that is not seen").unwrap();
    }
}

/// The two ends of a text, on one line.
fn abridged(text: &str) -> String {
    let chars: Vec<char> = text.chars().map(|c| if c == '\n' { ' ' } else { c }).collect();
    let end = chars.len().saturating_sub(20).max(20);
    match (chars.get(..20), chars.get(end..)) {
        (Some(start), Some(end)) => String::from_iter([start, &['…'], end].concat()),
        _ => String::from_iter(chars),
    }
}

/// Every file of every dialect with this ending.
fn recorded(ending: &str) -> Vec<(Dialect, PathBuf, Bytes)> {
    let mut found = Vec::new();
    for dialect in Dialect::ALL {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(dialect.name());
        for entry in fs::read_dir(folder).expect("each dialect has golden files") {
            let path = entry.unwrap().path();
            if path.to_string_lossy().ends_with(ending) {
                let bytes = fs::read(&path).unwrap().into();
                found.push((*dialect, path, bytes));
            }
        }
    }
    assert!(!found.is_empty(), "no {ending}");
    found
}

fn expected_path(recorded: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}.{ending}", recorded.display()))
}

fn compare(recorded: &Path, ending: &str, actual: &[u8]) {
    let path = expected_path(recorded, ending);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read(&path).unwrap_or_default();
    let [actual, expected] = [actual, &expected].map(String::from_utf8_lossy);
    assert!(actual == expected, "{path:?}\n\nexpected:\n{expected}\n\nactual:\n{actual}");
}
