//! Lines that stand several times in a row.

use std::borrow::Cow;

use crate::codec::marker::{self, OPEN, Verb};
use crate::codec::{Codec, estimate, source};

/// A line may not be repeated more often than this in what is decoded.
const TIMES_MAX: usize = 10_000_000;

/// The most bytes that decoding may write.
const DECODED_MAX: usize = 1 << 28;

/// Writes a run of equal lines as one of them and how many there are:
///
/// ```text
/// waiting for the database
/// [§ line above 40 times in all]
/// ```
///
/// Canonical form: the text itself. Text that looks like source code is left alone.
#[derive(Clone, Copy, Debug)]
pub struct Repeats;

// === impl Repeats ===

impl Codec for Repeats {
    fn name(&self) -> &'static str {
        "repeats"
    }

    fn encode(&self, text: &str) -> Option<String> {
        if marker::has(text, &[Verb::Repeat]) {
            return None;
        }
        let lines: Vec<&str> = text.split('\n').collect();
        let mut encoded = String::with_capacity(text.len());
        let mut at = 0;
        while at < lines.len() {
            let line = lines[at];
            let times = lines[at..].iter().take_while(|other| **other == line).count();
            let marker = (times > 2)
                .then(|| format!("{OPEN}{}{times} times in all]\n", Verb::Repeat.word()))
                .filter(|marker| (times - 1) * (estimate(line) + 1) > estimate(marker));
            encoded.push_str(line);
            encoded.push('\n');
            encoded.push_str(marker.as_deref().unwrap_or_default());
            at += if marker.is_some() { times } else { 1 };
        }
        encoded.pop();
        (encoded.len() < text.len() && !source::is_source(text)).then_some(encoded)
    }

    fn decode(&self, text: &str) -> Option<String> {
        let mut decoded = String::with_capacity(text.len());
        let mut above = "";
        let mut found = false;
        for line in text.split('\n') {
            let times = Verb::Repeat.line(line).and_then(|says| says.strip_suffix(" times in all"));
            let Some(times) = times else {
                decoded.push_str(line);
                decoded.push('\n');
                above = line;
                continue;
            };
            let more = times.parse().ok().filter(|times| (1..TIMES_MAX).contains(times))? - 1;
            if decoded.len() + more * (above.len() + 1) > DECODED_MAX {
                return None;
            }
            found = true;
            for _ in 0..more {
                decoded.push_str(above);
                decoded.push('\n');
            }
        }
        decoded.pop();
        found.then_some(decoded)
    }

    fn canonical<'t>(&self, text: &'t str) -> Cow<'t, str> {
        Cow::Borrowed(text)
    }
}
