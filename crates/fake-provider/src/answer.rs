//! An answer before it takes the shape of a dialect: what is said, in pieces of one token.

use std::borrow::Cow;

use crate::{
    Usage,
    script::Turn,
    tokenizer::{Encoding, Piece},
};

/// All that the assistant says in one choice.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) reasoning_tokens: u64,
    /// `None` where the turn has only tool calls.
    pub(crate) content: Option<Vec<Piece>>,
    pub(crate) tool_calls: Vec<Call>,
    pub(crate) finish: Finish,
}

/// A tool call of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) name_tokens: u64,
    pub(crate) arguments: Vec<Piece>,
}

/// Why an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
    ToolCalls,
}

impl Answer {
    /// The answer of `turn`, or of some sentences made from `seed`, cut off after `limit` tokens.
    pub(crate) fn compose(turn: Option<&Turn>, seed: u64, encoding: Encoding, limit: u64) -> Self {
        let turn = turn.map_or_else(|| Cow::Owned(improvised(seed)), Cow::Borrowed);
        let reasoning_tokens = u64::from(turn.reasoning_tokens).min(limit);
        let is_cut = reasoning_tokens < u64::from(turn.reasoning_tokens);
        let mut pen = Pen { encoding, left: limit - reasoning_tokens, is_cut };
        let content = turn.content.as_deref().map(|text| pen.write(text));
        let mut tool_calls = Vec::new();
        for call in &turn.tool_calls {
            let name = pen.write(&call.name);
            if pen.is_cut {
                break;
            }
            tool_calls.push(Call {
                id: call.id.clone(),
                name: call.name.clone(),
                name_tokens: tokens(&name),
                arguments: pen.write(&call.arguments),
            });
        }
        let finish = match (pen.is_cut, tool_calls.is_empty()) {
            (true, _) => Finish::Length,
            (false, true) => Finish::Stop,
            (false, false) => Finish::ToolCalls,
        };
        Self { reasoning_tokens, content, tool_calls, finish }
    }

    /// What the answer adds to the usage of its prompt.
    pub(crate) fn usage(&self) -> Usage {
        let reasoning_tokens = self.reasoning_tokens;
        let content = self.content.as_deref().map_or(0, tokens);
        let calls = self.tool_calls.iter();
        let calls: u64 = calls.map(|call| call.name_tokens + tokens(&call.arguments)).sum();
        let completion_tokens = reasoning_tokens + content + calls;
        Usage { completion_tokens, reasoning_tokens, ..Usage::default() }
    }
}

/// Writes until its tokens are used up.
struct Pen {
    encoding: Encoding,
    left: u64,
    is_cut: bool,
}

impl Pen {
    fn write(&mut self, text: &str) -> Vec<Piece> {
        let pieces = self.encoding.pieces(text, self.left);
        let written: usize = pieces.iter().map(|piece| piece.text.len()).sum();
        self.left -= tokens(&pieces);
        self.is_cut |= written < text.len();
        pieces
    }
}

fn tokens(pieces: &[Piece]) -> u64 {
    pieces.iter().map(|piece| piece.tokens).sum()
}

/// Three to six sentences, the same ones for the same seed.
fn improvised(seed: u64) -> Turn {
    const SUBJECTS: [&str; 4] = ["The parser", "Every request", "A later test", "The old cache"];
    const VERBS: [&str; 4] = ["reads", "waits for", "depends on", "replaces"];
    const OBJECTS: [&str; 4] = ["its own input", "an empty list", "the next deadline", "two files"];
    let mut random = Random(seed);
    let sentences: Vec<_> = (0..3 + random.next() % 4)
        .map(|_| {
            let [subject, verb, object] =
                [SUBJECTS, VERBS, OBJECTS].map(|words| random.pick(words));
            format!("{subject} {verb} {object}.")
        })
        .collect();
    Turn { content: Some(sentences.join(" ")), ..Turn::default() }
}

/// A linear congruential generator with Knuth's constants for MMIX, good enough to choose words.
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 48) as usize
    }

    fn pick<T: Copy, const N: usize>(&mut self, items: [T; N]) -> T {
        items[self.next() % N]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Script;

    const SCRIPT: &str = r#"[{
        "content": "Let me look.",
        "reasoning_tokens": 10,
        "tool_calls": [
            {"id": "1", "name": "read_file", "arguments": {"path": "a.rs"}},
            {"id": "2", "name": "read_file", "arguments": {"path": "b.rs"}}
        ]
    }]"#;

    fn answer(limit: u64) -> Answer {
        let script = Script::from_json(SCRIPT).unwrap();
        Answer::compose(script.turn("gpt-4o", 0, |_| true), 0, Encoding::O200k, limit)
    }

    #[test]
    fn reasoning_content_names_and_arguments_are_all_completion_tokens() {
        let texts =
            ["Let me look.", "read_file", r#"{"path":"a.rs"}"#, "read_file", r#"{"path":"b.rs"}"#];
        let expected: usize = texts.iter().map(|text| Encoding::O200k.encode(text).len()).sum();
        assert_eq!(answer(u64::MAX).usage().completion_tokens, 10 + expected as u64);
        assert_eq!(answer(u64::MAX).finish, Finish::ToolCalls);
    }

    #[test]
    fn an_answer_never_has_more_tokens_than_its_limit() {
        let whole = answer(u64::MAX);
        for limit in 0..whole.usage().completion_tokens {
            let cut = answer(limit);
            assert!(cut.usage().completion_tokens <= limit, "limit {limit}");
            assert_eq!(cut.finish, Finish::Length, "limit {limit}");
        }
        assert_eq!(answer(whole.usage().completion_tokens), whole);
    }

    #[test]
    fn improvised_answers_depend_on_the_seed_alone() {
        let improvise = |seed| Answer::compose(None, seed, Encoding::O200k, u64::MAX);
        assert_eq!(improvise(1), improvise(1));
        assert_ne!(improvise(1), improvise(2));
    }
}
