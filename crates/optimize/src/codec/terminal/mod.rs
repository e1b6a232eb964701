//! What programs print: control sequences, repeated lines, the same path on line after line, listings.

mod listing;
mod paths;
mod repeats;
mod screen;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use self::listing::Listing;
pub use self::paths::Paths;
pub use self::repeats::Repeats;
use super::{Codec, source};

/// Leaves of a terminal's output what stands on the screen in the end, and of other output no blanks
/// at the ends of lines.
///
/// Canonical form: of text with control sequences, the screen's final state: colours and titles gone,
/// carriage returns, backspaces and erasures carried out, lines ended by a line feed. Then, of text
/// that does not look like source code, a diff or markdown, each line without the blanks at its end.
#[derive(Clone, Copy, Debug)]
pub struct Screen;

/// `text` with each line, without its line feed, through `trim`.
fn each_line(text: &str, trim: impl Fn(&str) -> &str) -> String {
    text.split('\n').map(trim).collect::<Vec<_>>().join("\n")
}

// === impl Screen ===

impl Codec for Screen {
    fn name(&self) -> &'static str {
        "terminal"
    }

    fn encode(&self, text: &str) -> Option<String> {
        match self.canonical(text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(state) => (state.len() < text.len()).then_some(state),
        }
    }

    fn decode(&self, text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn canonical<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let state = if screen::is_terminal(text) {
            Cow::Owned(screen::final_state(text))
        } else if text.contains("\r\n") {
            Cow::Owned(each_line(text, |line| line.trim_end_matches('\r')))
        } else {
            Cow::Borrowed(text)
        };
        let blank = |line: &str| line.ends_with([' ', '\t']);
        if !state.split('\n').any(blank) || source::is_source(&state) {
            return state;
        }
        Cow::Owned(each_line(&state, |line| line.trim_end_matches([' ', '\t', '\r'])))
    }
}
