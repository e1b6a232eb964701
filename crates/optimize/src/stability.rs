//! What keeps a provider's cache from being found again: a prompt that changed where it should
//! not have, and text that will change each time.

use farthing_core::Usd;
use farthing_core::pricing::RateCard;
use farthing_core::prompt::{Prompt, Role, Span};
use farthing_core::usage::{Bucket, Usage};
use serde::Serialize;

/// A request does not begin as the one before it, so what the provider kept was of no use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bust {
    /// Where the first byte differs, in the later body.
    pub at: usize,
    /// What stands there, such as `tools[2]` or `messages[0]`. A system prompt is a message too.
    pub field: String,
    /// The text around it, then and now.
    pub before: String,
    /// See `before`.
    pub now: String,
    /// About how many tokens behind it are written again.
    pub tokens: u64,
    /// What that costs beyond reading them; `None` where the model has no price.
    pub usd: Option<Usd>,
}

/// Text in the instructions that is likely to be another one next time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Volatile {
    /// Where it stands in the body.
    pub at: Span,
    /// What it looks like.
    pub kind: VolatileKind,
    /// What it says.
    pub text: String,
}

/// What changes from request to request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VolatileKind {
    /// A day, `2026-11-23`.
    Date,
    /// A time of day, `09:15:59`.
    Time,
    /// A UUID.
    Uuid,
}

/// So many bytes of text are shown on either side of a difference.
const CONTEXT_BYTES: usize = 40;

/// Why `now` does not begin as `before`; `None` where it does. `tokens` are those of all of `now`.
pub fn bust(before: &Prompt, now: &Prompt, tokens: u64, card: Option<&RateCard>) -> Option<Bust> {
    let pieces = |prompt: &Prompt| {
        let tools = prompt.tools.iter().map(|tool| tool.span.clone());
        tools.chain(prompt.messages.iter().map(|message| message.span.clone())).collect::<Vec<_>>()
    };
    let (old, new) = (pieces(before), pieces(now));
    let same = |(old, new): (&Span, &Span)| before.raw(old) == now.raw(new);
    let common = old.iter().zip(&new).take_while(|(old, new)| same((old, new))).count();
    let same_tools = before.tools.len() == now.tools.len() || common < now.tools.len();
    let (old, new) = (old.get(common)?, new.get(common).filter(|_| same_tools)?);
    let (old, new_text) = (before.raw(old), now.raw(new));
    let differs = old.bytes().zip(new_text.bytes()).take_while(|(old, new)| old == new).count();
    let at = new.start + differs;
    let field = match common.checked_sub(now.tools.len()) {
        Some(message) => format!("messages[{message}]"),
        None => format!("tools[{common}]"),
    };
    let left = now.body.len().saturating_sub(at) as u128;
    let tokens = u128::from(tokens) * left / (now.body.len().max(1) as u128);
    let tokens = u64::try_from(tokens).unwrap_or(u64::MAX);
    let price = |bucket| card?.cost(&Usage::NONE.with(bucket, tokens)).ok()?.usd;
    let usd = price(Bucket::CacheWrite5m).zip(price(Bucket::CacheRead));
    Some(Bust {
        at,
        field,
        before: around(old, differs),
        now: around(new_text, differs),
        tokens,
        usd: usd.and_then(|(write, read)| write.minus(read).ok()),
    })
}

/// What in the system prompt and the tools is likely to change, in order.
pub fn volatile(prompt: &Prompt) -> Vec<Volatile> {
    let system = prompt.messages.iter().filter(|message| message.role == Role::System);
    let spans = prompt.tools.iter().map(|tool| &tool.span);
    let spans = spans.chain(system.map(|message| &message.span));
    let found = spans.flat_map(|span| {
        let raw = prompt.raw(span);
        words(raw).filter_map(move |(at, word)| {
            let kind = kind(word)?;
            let at = span.start + at..span.start + at + word.len();
            Some(Volatile { at, kind, text: word.to_owned() })
        })
    });
    found.collect()
}

fn around(text: &str, at: usize) -> String {
    let from = (0..=at.saturating_sub(CONTEXT_BYTES)).rev().find(|at| text.is_char_boundary(*at));
    let shown = text.get(from.unwrap_or_default()..).unwrap_or_default();
    shown.chars().take(2 * CONTEXT_BYTES).collect()
}

/// Runs of letters, digits, hyphens and colons, with where they start.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == ':';
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(is_inner)?;
        let from = text.len() - rest.len() + start;
        let tail = rest.get(start..)?;
        let end = tail.find(|c| !is_inner(c)).unwrap_or(tail.len());
        rest = tail.get(end..)?;
        Some((from, tail.get(..end)?))
    })
}

fn kind(word: &str) -> Option<VolatileKind> {
    // Of a date with a time, the date is enough.
    let date =
        word.get(..10).filter(|_| word.len() == 10 || word.as_bytes().get(10) == Some(&b'T'));
    if date.is_some_and(|date| looks_like(date, "dddd-dd-dd")) {
        return Some(VolatileKind::Date);
    }
    if looks_like(word, "dd:dd:dd") {
        return Some(VolatileKind::Time);
    }
    let uuid = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    looks_like(word, uuid).then_some(VolatileKind::Uuid)
}

/// Whether `word` is spelled as `pattern`: `d` is a digit, `x` a hexadecimal one.
fn looks_like(word: &str, pattern: &str) -> bool {
    let fits = |(byte, like): (u8, u8)| match like {
        b'd' => byte.is_ascii_digit(),
        b'x' => byte.is_ascii_hexdigit(),
        other => byte == other,
    };
    word.len() == pattern.len() && word.bytes().zip(pattern.bytes()).all(fits)
}
