//! What no level of shortening touches: code, quoted text, addresses, placeholders.

use std::ops::Range;

/// Quoted text is no longer than this, or its opening quote was none.
const QUOTE_BYTES_MAX: usize = 2000;

/// The spans of `text` that stay byte for byte, in order and apart from each other.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut at = 0;
    let mut unclosed = Unclosed::default();
    while at < text.len() {
        let rest = &text[at..];
        let before = text[..at].chars().next_back();
        match length(rest, before, &mut unclosed) {
            Some(length) => {
                spans.push(at..at + length);
                at += length;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    spans
}

/// Openings that are known to have no end: to look for it again from each of them would take time in
/// the square of the text.
#[derive(Default)]
struct Unclosed {
    fence: bool,
    tick: bool,
}

/// How long the protected span is that `rest` begins with.
fn length(rest: &str, before: Option<char>, unclosed: &mut Unclosed) -> Option<usize> {
    let starts_word = before.is_none_or(|c| !c.is_alphanumeric());
    match rest.chars().next()? {
        '`' if rest.starts_with("```") => {
            if unclosed.fence {
                return None;
            }
            // A fence that is never closed protects all that follows.
            let end = rest[3..].find("```").map(|end| end + 6);
            unclosed.fence = end.is_none();
            Some(end.unwrap_or(rest.len()))
        }
        '`' if !unclosed.tick => {
            let end = rest[1..].find('`').map(|end| end + 2);
            unclosed.tick = end.is_none();
            end
        }
        '~' if rest.starts_with("~~~") => {
            Some(rest[3..].find("~~~").map_or(rest.len(), |end| end + 6))
        }
        '"' => quoted(rest, '"'),
        '“' => quoted(rest, '”'),
        '„' => quoted(rest, '“'),
        '«' => quoted(rest, '»'),
        '‘' => quoted(rest, '’'),
        '\'' if starts_word => single_quoted(rest),
        '{' => bracketed(rest, '{', '}'),
        '[' => bracketed(rest, '[', ']'),
        '<' if rest[1..].starts_with(|c: char| c.is_alphabetic() || c == '/' || c == '_') => {
            bracketed(rest, '<', '>')
        }
        '$' | '%' | '@' | '#' => {
            let name = rest[1..]
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len() - 1);
            let braced =
                rest[1..].starts_with('{').then(|| bracketed(&rest[1..], '{', '}')).flatten();
            braced.map(|length| length + 1).or((name > 0).then_some(name + 1))
        }
        _ if starts_word && is_address(rest) => {
            let end = rest.find(|c: char| c.is_whitespace() || "<>\"'`)]}".contains(c));
            Some(
                rest[..end.unwrap_or(rest.len())]
                    .trim_end_matches(['.', ',', ';', ':', '!', '?'])
                    .len(),
            )
        }
        _ => None,
    }
}

fn is_address(rest: &str) -> bool {
    let head: String = rest.chars().take(24).take_while(|c| !c.is_whitespace()).collect();
    head.contains("://") || head.starts_with("www.") || head.starts_with("mailto:")
}

/// The length of `rest` up to the closing quote, if there is one near enough and no paragraph ends
/// before it.
fn quoted(rest: &str, close: char) -> Option<usize> {
    let open = rest.chars().next()?.len_utf8();
    let limit = floor(rest, open + QUOTE_BYTES_MAX);
    let end = rest[open..limit].find(close)?;
    let length = open + end + close.len_utf8();
    (!rest[..length].contains("\n\n")).then_some(length)
}

/// A single quote closes where no letter follows: the others are apostrophes.
fn single_quoted(rest: &str) -> Option<usize> {
    let limit = floor(rest, 200);
    let line = rest[..limit].split('\n').next()?;
    let close = line
        .match_indices('\'')
        .skip(1)
        .find(|(at, _)| !line[at + 1..].starts_with(char::is_alphanumeric));
    close.map(|(at, _)| at + 1)
}

/// The length of `rest` up to the bracket that closes its first, on the same line.
fn bracketed(rest: &str, open: char, close: char) -> Option<usize> {
    let limit = floor(rest, 200);
    let line = rest[..limit].split('\n').next()?;
    let mut depth = 0_usize;
    for (at, c) in line.char_indices() {
        depth += usize::from(c == open);
        if c == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some(at + close.len_utf8());
            }
        }
    }
    None
}

/// The last place where a character begins, up to `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_quotes_addresses_and_placeholders_are_protected() {
        let text = "Use `a b` or \"c  d\", see https://x.org/a?b. It's for {{name}}, <id>, ${HOME}, \
                    $USER and 'it is' „so“.";
        let found: Vec<&str> = spans(text).into_iter().map(|span| &text[span]).collect();
        assert_eq!(
            found,
            [
                "`a b`",
                "\"c  d\"",
                "https://x.org/a?b",
                "{{name}}",
                "<id>",
                "${HOME}",
                "$USER",
                "'it is'",
                "„so“"
            ]
        );
    }

    #[test]
    fn what_never_closes_costs_no_more_than_what_does() {
        assert!(spans(&"\"a `b {c <d 'e ".repeat(2000)).len() < 10_000);
        assert_eq!(spans("```\nopen").first(), Some(&(0..8)));
        assert!(spans("5 < 6 and a > b, it's").is_empty());
    }
}
