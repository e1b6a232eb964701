//! The codecs over the whole corpus of traces, where it is present.

use std::path::{Path, PathBuf};

use farthing_tokenizer::{Encoding, encoding};
use serde_json::Value;

use super::earlier::{Earlier, Place};
use super::*;

fn count(text: &str) -> u64 {
    encoding(Encoding::O200kBase).count(text)
}

/// The files of the corpus; none, with a word, where it is absent.
fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/corpus");
    let files = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect()
    };
    let mut found = files(&folder);
    found.extend(files(&folder.join("terminal")));
    if found.is_empty() {
        println!("skipped: ../shared not present");
    }
    found.sort();
    found
}

/// The conversations of a file, each the texts that are not the assistant's; any other file is one.
fn conversations(path: &Path) -> Vec<Vec<String>> {
    let content = std::fs::read_to_string(path).unwrap();
    if path.extension().is_none_or(|extension| extension != "jsonl") {
        return vec![vec![content]];
    }
    let texts = |line: &str| {
        let trace: Value = serde_json::from_str(line).unwrap_or_default();
        let messages = trace["messages"].as_array().cloned().unwrap_or_default();
        let others = messages.iter().filter(|message| message["role"] != "assistant");
        others.filter_map(|message| message["content"].as_str().map(str::to_owned)).collect()
    };
    content.lines().map(texts).collect()
}

fn check(codec: &dyn Codec, text: &str) {
    let Some(encoded) = codec.encode(text) else { return };
    assert_eq!(
        codec.decode(&encoded).as_deref(),
        Some(&*codec.canonical(text)),
        "{}",
        codec.name()
    );
    assert_eq!(codec.encode(&encoded), None, "{} a second time: {encoded}", codec.name());
}

#[test]
fn every_text_of_the_corpus_comes_back() {
    for path in corpus() {
        for texts in conversations(&path) {
            let mut earlier = Earlier::new();
            for (number, text) in (1..).zip(&texts) {
                CODECS.iter().for_each(|codec| check(*codec, text));
                let mut sent = text.clone();
                if let Some(short) = shorten(text, CODECS, &count) {
                    assert!(short.tokens_after < short.tokens_before, "{path:?}");
                    assert_eq!(short.tokens_after, count(&short.text));
                    assert!(
                        shorten(&short.text, CODECS, &count).is_none(),
                        "{path:?} {}",
                        short.text
                    );
                    sent = short.text;
                }
                let place = Place::ToolResult(number);
                if let Some(encoded) = earlier.encode(place, &sent) {
                    assert_eq!(earlier.decode(&encoded).as_deref(), Some(&*sent));
                    assert!(count(&encoded) < count(&sent), "{path:?} {encoded}");
                    assert_eq!(earlier.encode(place, &encoded), None);
                    sent = encoded;
                }
                earlier.add(place, sent);
            }
        }
    }
}

#[test]
fn codecs_follow_each_other() {
    let row = |n: u32| format!("{{\"id\": {n}, \"name\": \"n{n}\", \"state\": \"s{n}\"}}");
    let rows: Vec<String> = (0..9).map(row).collect();
    let text = format!("\u{1b}[32mok\u{1b}[0m\r\n[{}]\r\n", rows.join(",\r\n  "));
    let short = shorten(&text, CODECS, &count).unwrap();
    let names: Vec<_> = short.codecs.iter().map(|codec| codec.name()).collect();
    assert_eq!(names, ["terminal", "json", "table"]);
    assert!(short.text.starts_with("ok\n[§ table id,name,state\n0,n0,s0\n"), "{}", short.text);
    assert_eq!(
        decode(&short.text, &short.codecs).unwrap(),
        format!("ok\n[{}]\n", rows.join(",").replace(' ', ""))
    );
}

#[test]
fn a_codec_that_saves_no_tokens_is_not_used() {
    assert!(shorten("{ \"a\": 1 }", CODECS, &|_| 1).is_none());
    assert!(shorten("", CODECS, &count).is_none());
}
