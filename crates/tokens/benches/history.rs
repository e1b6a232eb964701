//! What it costs to count a history that comes again: `cargo bench -p farthing-tokens`.
//!
//! Prints the time of a count without memory, of the first with it and of a later one, and how many
//! times faster that is, for histories of 62 KiB in messages of several sizes.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench may fail and prints")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use farthing_core::prompt::{JsonStr, Message, Part, Prompt, Role};
use farthing_tokens::Counter;

const HISTORY_BYTES: usize = 62 * 1024;
const ROUNDS: u32 = 200;

/// A conversation of messages with about so many bytes each, no two alike.
fn history(message_bytes: usize) -> Prompt {
    let (mut body, mut messages) = (String::from("["), Vec::new());
    while body.len() < HISTORY_BYTES {
        let start = body.len();
        body.push_str(r#"{"role":"user","content":"#);
        let text = body.len();
        body.push('"');
        while body.len() - text < message_bytes {
            let line = body.len();
            body.push_str(&format!("At line {line} the parser read {} items in order. ", line / 7));
        }
        body.push('"');
        let parts = vec![Part::Text(JsonStr(text..body.len()))];
        body.push('}');
        messages.push(Message { parts, ..Message::new(Role::User, start..body.len()) });
        body.push(',');
    }
    Prompt { body: Bytes::from(body), messages, ..Prompt::default() }
}

fn time(rounds: u32, mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..rounds).for_each(|_| work());
    start.elapsed() / rounds
}

fn main() {
    let plain = Counter::embedded().expect("the rules are sound");
    for message_bytes in [400, 1_500, 8_000] {
        let prompt = history(message_bytes);
        let count = |counter: &Counter| {
            black_box(counter.count("gpt-4.1", black_box(&prompt)));
        };
        count(&plain);
        let without = time(ROUNDS / 10, || count(&plain));
        let mindful = plain.clone().with_memo([1, 2, 3, 4], 10_000);
        let first = time(1, || count(&mindful));
        let again = time(ROUNDS * 10, || count(&mindful));
        let times = without.as_nanos() / again.as_nanos().max(1);
        println!(
            "{:>3} messages of {message_bytes:>5} bytes: {without:>10.2?} without memory, \
             {first:>10.2?} first, {again:>8.2?} again: {times} times faster",
            prompt.messages.len()
        );
    }
}
