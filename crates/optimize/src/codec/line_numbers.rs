//! File views that show line numbers: a quarter of their tokens are the blanks that align the
//! numbers and the arrows behind them.

use std::borrow::Cow;

use super::Codec;
use super::source::Numbered;

/// Spells `    12→text` as `12`, a tab and `text`, where the numbers of lines follow each other. Of
/// lines in between, those that are empty need no number.
///
/// The canonical form is the text spelled so, which is what is sent: a reader needs no marker to
/// see what a number in front of a line means. Views that have the tab already are left alone:
/// models are seen to copy them into edits, number, blanks and all, which then must be found.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineNumbers;

/// Fewer lines whose numbers follow each other may be something else.
const LINES_MIN: usize = 3;

const ARROW: &str = "→";

// === impl Codec ===

impl Codec for LineNumbers {
    fn name(&self) -> &'static str {
        "line_numbers"
    }

    fn encode(&self, text: &str) -> Option<String> {
        if !text.contains(ARROW) {
            return None;
        }
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let read = lines.iter().map(|line| Numbered::parse(line));
        let numbered: Vec<Option<Numbered>> =
            read.map(|line| line.filter(|line| line.separator == ARROW)).collect();
        let mut encoded = String::with_capacity(text.len());
        let mut from = 0;
        while let Some(rest) = numbered.get(from..).filter(|rest| !rest.is_empty()) {
            let run = consecutive(rest);
            let inner = from + 1..(from + run).saturating_sub(1);
            for (at, line) in lines.iter().enumerate().skip(from).take(run) {
                match rest.get(at - from).copied().flatten().filter(|_| run >= LINES_MIN) {
                    // Its number is the one between those of its neighbours.
                    Some(Numbered { text: "\n", .. }) if inner.contains(&at) => encoded.push('\n'),
                    Some(Numbered { number, text, .. }) => {
                        encoded.push_str(&format!("{number}\t{text}"));
                    }
                    None => encoded.push_str(line),
                }
            }
            from += run;
        }
        (encoded.len() < text.len()).then_some(encoded)
    }

    fn decode(&self, text: &str) -> Option<String> {
        self.encode(text).is_none().then(|| text.to_owned())
    }

    fn canonical<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.encode(text).map_or(Cow::Borrowed(text), Cow::Owned)
    }
}

/// How many lines at the start have numbers that follow each other; one at the least.
fn consecutive(lines: &[Option<Numbered>]) -> usize {
    let follows = |pair: &&[Option<Numbered>]| match pair {
        [Some(one), Some(next)] => one.number.checked_add(1) == Some(next.number),
        _ => false,
    };
    lines.windows(2).take_while(follows).count() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_lose_their_alignment_and_lines_keep_their_indentation() {
        let view = "Here it is:\n     9→fn a() {\n    10→    b();\n    11→\n    12→}\n  no\n";
        let sent = "Here it is:\n9\tfn a() {\n10\t    b();\n\n12\t}\n  no\n";
        assert_eq!(LineNumbers.encode(view).as_deref(), Some(sent));
        assert_eq!(LineNumbers.encode(sent), None);
    }

    #[test]
    fn what_is_no_such_view_stays_as_it_is() {
        let tabs = "     9\ta\n    10\tb\n    11\tc\n";
        for text in ["", "→", tabs, "  1→a\n  2→b\n", "  1→a\n  3→b\n  5→c\n", "→a\n→b\n→c\n"]
        {
            assert_eq!(LineNumbers.encode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_canonical_form_survives(text in "( {0,5}[0-9]{1,2}[→\t:]{0,2}\n?){0,12}") {
            if let Some(encoded) = LineNumbers.encode(&text) {
                prop_assert_eq!(LineNumbers.decode(&encoded), Some(encoded.clone()));
                prop_assert_eq!(encoded, LineNumbers.canonical(&text));
            }
        }
    }
}
