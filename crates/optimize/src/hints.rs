//! Hints to the provider's cache, as each dialect writes them.

use farthing_core::prompt::{JsonStr, Message, Part, Prompt, Role};
use farthing_core::usage::CacheTtl;
use memchr::memmem;
use serde::{Deserialize, Serialize};

use crate::breakpoints::{Place, Plan};
use crate::edit::Edit;
use crate::engine::Situation;

/// How hints to the cache are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Syntax {
    /// Not at all.
    #[default]
    None,
    /// Anthropic's `cache_control` in a block.
    CacheControl,
    /// OpenAI's `prompt_cache_key`, which leads requests that begin alike to the same cache.
    CacheKey,
}

/// `edits` with those that tell the provider's cache what `plan` asks for, in the order of the
/// body.
pub(crate) fn hinted(
    prompt: &Prompt,
    plan: &Plan,
    situation: &Situation,
    mut edits: Vec<Edit>,
) -> Vec<Edit> {
    match (situation.syntax, plan.ttl) {
        (Syntax::CacheControl, Some(ttl)) => {
            edits.extend(plan.places.iter().flat_map(|place| mark(prompt, *place, ttl)));
        }
        (Syntax::CacheKey, _) => edits.extend(cache_key(prompt, situation.owner)),
        (Syntax::None | Syntax::CacheControl, _) => {}
    }
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
    edits
}

/// The member that names all requests of an owner that begin alike; none where there is one.
fn cache_key(prompt: &Prompt, owner: &str) -> Option<Edit> {
    const NAME: &[u8] = b"\"prompt_cache_key\"";
    let open = prompt.body.iter().position(|byte| *byte == b'{')?;
    if memmem::find(&prompt.body, NAME).is_some() {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(owner.as_bytes());
    let system = prompt.messages.iter().take_while(|message| message.role == Role::System);
    let spans = prompt.tools.iter().map(|tool| &tool.span);
    for span in spans.chain(system.map(|message| &message.span)) {
        hasher.update(prompt.raw(span).as_bytes());
    }
    let key = hasher.finalize().to_hex();
    let key = key.get(..32)?;
    Some(inserted(open + 1, format!("\"prompt_cache_key\":\"{key}\",")))
}

/// The edits that put a breakpoint at a place; none where a dialect's reader would not take one.
fn mark(prompt: &Prompt, place: Place, ttl: CacheTtl) -> Vec<Edit> {
    let member = match ttl {
        CacheTtl::FiveMinutes => r#""cache_control":{"type":"ephemeral"}"#,
        CacheTtl::OneHour => r#""cache_control":{"type":"ephemeral","ttl":"1h"}"#,
    };
    let edits = match place {
        Place::Tools => {
            prompt.tools.last().and_then(|tool| in_object(prompt, tool.span.end, member))
        }
        Place::Message(index) => {
            prompt.messages.get(index).and_then(|message| in_message(prompt, message, member))
        }
    };
    edits.unwrap_or_default()
}

fn in_message(prompt: &Prompt, message: &Message, member: &str) -> Option<Vec<Edit>> {
    if message.role == Role::Tool {
        return in_object(prompt, message.span.end, member);
    }
    let call = message.tool_calls.last().map(|call| call.arguments.0.end);
    let part = message.parts.last();
    let part_end = part.map(|part| match part {
        Part::Text(JsonStr(span)) | Part::Image(span) | Part::Other(span) | Part::Thought(span) => {
            span.end
        }
    });
    if let Some(call) = call.filter(|call| Some(*call) > part_end) {
        return Some(vec![inserted(call, format!(",{member}"))]);
    }
    match part? {
        Part::Text(literal) => after_text(prompt, literal, member),
        Part::Image(span) | Part::Other(span) => in_object(prompt, span.end, member),
        Part::Thought(_) => None,
    }
}

/// A text is a block's, or the whole content, which then becomes a block.
fn after_text(prompt: &Prompt, literal: &JsonStr, member: &str) -> Option<Vec<Edit>> {
    let before = prompt.raw(&(0..literal.0.start)).trim_end();
    let key = before.strip_suffix(':')?.trim_end();
    // An empty text cannot be kept.
    if literal.0.len() <= 2 {
        return None;
    }
    if key.ends_with(r#""text""#) {
        return Some(vec![inserted(literal.0.end, format!(",{member}"))]);
    }
    let whole = key.ends_with(r#""content""#) || key.ends_with(r#""system""#);
    whole.then(|| {
        let open = inserted(literal.0.start, r#"[{"type":"text","text":"#.to_owned());
        let close = inserted(literal.0.end, format!(",{member}}}]"));
        vec![open, close]
    })
}

/// In front of the brace that closes an object; objects here are never empty.
fn in_object(prompt: &Prompt, end: usize, member: &str) -> Option<Vec<Edit>> {
    let brace = end.checked_sub(1)?;
    (prompt.raw(&(brace..end)) == "}").then(|| vec![inserted(brace, format!(",{member}"))])
}

fn inserted(at: usize, with: String) -> Edit {
    Edit { at: at..at, with }
}
