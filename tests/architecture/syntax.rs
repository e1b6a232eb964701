//! Rust source as tokens: enough to tell code from comments, literals and tests.

/// What a token is. Comments, lifetimes and character literals are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or a keyword.
    Word,
    /// A numeric literal, with its underscores and suffix.
    Number,
    /// What stands between the quotes of a string literal.
    Text,
    /// One character of punctuation.
    Mark,
}

/// A token and the line on which it starts, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'s> {
    pub(crate) kind: Kind,
    pub(crate) text: &'s str,
    pub(crate) line: usize,
}

impl Token<'_> {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.kind != Kind::Text && self.text == text
    }
}

/// Whether `tokens` start with these words and marks.
pub(crate) fn starts_with(tokens: &[Token<'_>], words: &[&str]) -> bool {
    tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, word)| token.is(word))
}

// === reading ===

/// All tokens of a file.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut rest, mut line) = (Vec::new(), source, 1);
    while !rest.is_empty() {
        let (length, token) = next(rest);
        tokens.extend(token.map(|(kind, text)| Token { kind, text, line }));
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// The length of what `rest` starts with, and the token that it is.
fn next(rest: &str) -> (usize, Option<(Kind, &str)>) {
    let span = |more: fn(char) -> bool| rest.find(|c| !more(c)).unwrap_or(rest.len());
    match rest.chars().next().unwrap_or_default() {
        c if c.is_whitespace() => (span(char::is_whitespace), None),
        '/' if rest.starts_with("//") => (span(|c| c != '\n'), None),
        '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), None),
        '\'' => (tick(rest), None),
        c if c.is_ascii_digit() => {
            let length = number(rest);
            (length, Some((Kind::Number, &rest[..length])))
        }
        c => match string(rest) {
            Some((length, text)) => (length, Some((Kind::Text, text))),
            None if is_word(c) => {
                let length = span(is_word);
                (length, Some((Kind::Word, &rest[..length])))
            }
            None => (c.len_utf8(), Some((Kind::Mark, &rest[..c.len_utf8()]))),
        },
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a character literal or of a lifetime.
fn tick(rest: &str) -> usize {
    let mut inner = rest[1..].chars();
    match (inner.next(), inner.next()) {
        (Some('\\'), Some(_)) => {
            rest.len() - inner.as_str().split_once('\'').map_or(0, |(_, behind)| behind.len())
        }
        (Some(_), Some('\'')) => rest.len() - inner.as_str().len(),
        _ => 1 + rest[1..].find(|c| !is_word(c)).unwrap_or(rest.len() - 1),
    }
}

/// The length of a numeric literal; the dots of `0..9` and `1.max(2)` are not part of it.
fn number(rest: &str) -> usize {
    let part = |text: &str| {
        text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
    };
    let whole = part(rest);
    match rest[whole..].strip_prefix('.') {
        Some(decimals) if decimals.starts_with(|c: char| c.is_ascii_digit()) => {
            whole + 1 + part(decimals)
        }
        _ => whole,
    }
}

/// The length and the content of a string literal: plain, byte, C or raw.
fn string(rest: &str) -> Option<(usize, &str)> {
    let behind = rest.trim_start_matches(['b', 'c', 'r']);
    let (prefix, _) = rest.split_at(rest.len() - behind.len());
    let hashes =
        if prefix.contains('r') { behind.len() - behind.trim_start_matches('#').len() } else { 0 };
    let body = behind[hashes..].strip_prefix('"')?;
    let mut escaped = false;
    let end = if prefix.contains('r') {
        body.find(&format!("\"{}", "#".repeat(hashes)))?
    } else {
        body.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        })?
    };
    Some((prefix.len() + hashes + 1 + end + 1 + hashes, &body[..end]))
}

// === structure ===

/// The index behind the bracket that closes the one at `open`.
pub(crate) fn group_end(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" if token.kind == Kind::Mark => depth += 1,
            ")" | "]" | "}" if token.kind == Kind::Mark => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The tokens that do not belong to an item under `#[test]` or `#[cfg(test)]`.
pub(crate) fn without_tests<'s>(tokens: &[Token<'s>]) -> Vec<Token<'s>> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let rest = &tokens[at..];
        if starts_with(rest, &["#", "[", "test", "]"])
            || starts_with(rest, &["#", "[", "cfg", "(", "test", ")", "]"])
        {
            at = item_end(tokens, at);
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

/// The index behind the item that starts with the attribute at `at`.
fn item_end(tokens: &[Token<'_>], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at] {
            token if token.is(";") => return at + 1,
            token if token.is("{") => return group_end(tokens, at),
            token if token.is("(") || token.is("[") => at = group_end(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// The bodies of the items that start with `keyword` and are about `name`: for `impl` and
/// `Context`, of `impl Clone for Context {}`, but not of `impl From<Context> for Usage {}`.
pub(crate) fn bodies<'t, 's>(
    tokens: &'t [Token<'s>],
    keyword: &str,
    name: &str,
) -> Vec<&'t [Token<'s>]> {
    let items = (0..tokens.len()).filter(|at| tokens[*at].is(keyword));
    let bodies = items.filter_map(|at| {
        let open = at + tokens[at..].iter().position(|token| token.is("{"))?;
        (subject(&tokens[at..open]) == Some(name)).then(|| &tokens[open..group_end(tokens, open)])
    });
    bodies.collect()
}

/// The last word of an item's head that is not in a bound or between angle brackets.
fn subject<'s>(head: &[Token<'s>]) -> Option<&'s str> {
    let (mut depth, mut last) = (0, None);
    for token in head.iter().take_while(|token| !token.is("where")) {
        match token.text {
            "<" => depth += 1,
            ">" => depth -= 1,
            word if depth == 0 && token.kind == Kind::Word => last = Some(word),
            _ => {}
        }
    }
    last
}

/// The names of the variants in the body of an `enum`.
pub(crate) fn variants<'s>(body: &[Token<'s>]) -> Vec<&'s str> {
    let (mut found, mut at) = (Vec::new(), 1);
    while at < body.len() {
        let is_first = ["{", ",", "]"].iter().any(|before| body[at - 1].is(before));
        if body[at].kind == Kind::Word && is_first {
            found.push(body[at].text);
        }
        let opens = ["(", "[", "{"].iter().any(|open| body[at].is(open));
        at = if opens { group_end(body, at) } else { at + 1 };
    }
    found
}

/// Every path as it is written, words included, with its line. The branches of a `use` are
/// spelled out: `std::{fs, io::Read}` gives `std::fs` and `std::io::Read`.
pub(crate) fn paths(tokens: &[Token<'_>]) -> Vec<(usize, String)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        at = path(tokens, at, "", &mut found);
    }
    found
}

/// Reads the path at `at`, or steps over one token; returns the index behind.
fn path(
    tokens: &[Token<'_>],
    mut at: usize,
    stem: &str,
    found: &mut Vec<(usize, String)>,
) -> usize {
    let mut path = stem.to_owned();
    let line = tokens[at].line;
    if tokens[at].kind != Kind::Word {
        return at + 1;
    }
    loop {
        path += tokens[at].text;
        at += 1;
        if !starts_with(&tokens[at..], &[":", ":"]) {
            break;
        }
        match tokens.get(at + 2) {
            Some(token) if token.kind == Kind::Word => (path, at) = (path + "::", at + 2),
            Some(token) if token.is("{") => {
                let (stem, end) = (path + "::", group_end(tokens, at + 2));
                at += 3;
                while at < end {
                    at = self::path(tokens, at, &stem, found);
                }
                return end;
            }
            _ => break,
        }
    }
    found.push((line, path));
    at
}

#[test]
fn tokens_are_told_from_comments_characters_and_lifetimes() {
    let source = r##"
        // "one" /* two
        /* "three"
         * 4 */
        fn f<'a>(x: &'a mut u8) -> char { '"'; '\''; '\u{22}'; b'"' } // five
        let s = (r#"raw " 6"#, "esc \" // 7", br"8", 1.5e3, 0..9, 2.max(3));
    "##;
    let of = |kind| {
        tokens(source).into_iter().filter(move |token| token.kind == kind).map(|token| token.text)
    };
    assert_eq!(of(Kind::Text).collect::<Vec<_>>(), [r#"raw " 6"#, r#"esc \" // 7"#, "8"]);
    assert_eq!(of(Kind::Number).collect::<Vec<_>>(), ["1.5e3", "0", "9", "2", "3"]);
    assert_eq!(tokens(source).last().map(|token| token.line), Some(6));
}

#[test]
fn items_of_tests_are_left_out() {
    let tokens = tokens(
        "fn kept() {} #[cfg(test)] mod tests { fn gone() {} }
         #[test] #[ignore] fn gone() {} struct Kept;",
    );
    let kept = without_tests(&tokens);
    let words = kept.iter().filter(|token| token.kind == Kind::Word).map(|token| token.text);
    assert_eq!(words.collect::<Vec<_>>(), ["fn", "kept", "struct", "Kept"]);
}

#[test]
fn a_tree_of_uses_is_spelled_out() {
    let tokens = tokens("use std::{fs, io::{self, Read}}; a::b(c)");
    let paths: Vec<_> = paths(&tokens).into_iter().map(|(_, path)| path).collect();
    assert_eq!(paths, ["use", "std::fs", "std::io::self", "std::io::Read", "a::b", "c"]);
}
