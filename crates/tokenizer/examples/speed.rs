//! Times one counter on one file, for `tools/tokens/speed.py`, which compares them:
//!
//!     cargo run --release -p farthing-tokenizer --example speed -- farthing o200k_base README.md
//!
//! Prints the number of tokens and, in nanoseconds, loading, the first count and the fastest of more.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "an example for the terminal"
)]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [counter, encoding, path] = &*arguments else {
        println!("usage: speed (farthing | bpe-openai | tiktoken-fast | tiktoken) ENCODING FILE");
        return;
    };
    let text = std::fs::read_to_string(path).expect("the file is text");
    let start = Instant::now();
    let count = counter_of(counter, encoding);
    count("");
    let load = start.elapsed().as_nanos();
    let time = || {
        let start = Instant::now();
        let tokens = count(&text);
        (start.elapsed().as_nanos(), tokens)
    };
    let (cold, tokens) = time();
    let warm = (0..8).map(|_| time().0).min().unwrap_or(cold);
    println!("{tokens} {load} {cold} {warm}");
}

fn counter_of(counter: &str, name: &str) -> Box<dyn Fn(&str) -> u64> {
    match (counter, name) {
        ("farthing", name) => {
            let encoding = name.parse().expect("the encoding is known");
            let tokenizer = farthing_tokenizer::encoding(encoding);
            Box::new(|text| tokenizer.count(text))
        }
        ("bpe-openai", "o200k_base") => {
            Box::new(|text| bpe_openai::o200k_base().count(text) as u64)
        }
        ("bpe-openai", "cl100k_base") => {
            Box::new(|text| bpe_openai::cl100k_base().count(text) as u64)
        }
        ("tiktoken-fast", name) => {
            let counter = match name {
                "o200k_base" => tiktoken_fast::o200k_base(),
                "cl100k_base" => tiktoken_fast::cl100k_base(),
                _ => tiktoken_fast::p50k_base(),
            };
            let counter = counter.expect("the vocabulary is embedded");
            Box::new(move |text| counter.encode_ordinary(text).len() as u64)
        }
        ("tiktoken", name) => {
            let oracle = tiktoken::get_encoding(name).expect("the encoding is known");
            Box::new(|text| oracle.count(text) as u64)
        }
        (counter, name) => panic!("no counter {counter} for {name}"),
    }
}
