//! A request's messages and tools, as byte ranges of its body.
//!
//! Nothing is copied and nothing is decoded until it is asked for: a long history costs a few
//! words per message. Byte ranges are also what the optimizer edits, so what no pass touched
//! reaches the provider as it came. Dialects make a [`Prompt`]; it knows nothing of theirs.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use crate::usage::CacheTtl;

/// A byte range of the request's body.
pub type Span = Range<usize>;

/// The span of a JSON string literal, its quotes included; or where a dialect sends JSON in place
/// of a string (a tool's arguments, a function's response), the span of that value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonStr(pub Span);

/// All that a model will read in a request.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    /// The request's body, as it came.
    pub body: Bytes,
    /// The conversation, oldest first. A system prompt is a message too.
    pub messages: Vec<Message>,
    /// The tools that the model may call.
    pub tools: Vec<Tool>,
    /// A JSON schema that the answer must follow, as sent.
    pub response_format: Option<Span>,
    /// What else is asked of the model.
    pub demands: Demands,
    /// Whether the model reads more than stands here: the request names an earlier response, a
    /// conversation, a stored prompt or cached content that only the provider has.
    pub unseen: bool,
    /// Where the client asks for the prompt so far to be cached, in the order of the body.
    pub cache_markers: Vec<CacheMarker>,
}

/// A client's own breakpoint (`cache_control`, `prompt_cache_breakpoint`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheMarker {
    /// The member's value as sent. What holds it (a block, a tool) ends what is to be cached.
    pub span: Span,
    /// How long it is to live; what says a time that is not known may be long.
    pub ttl: CacheTtl,
    /// It stands at the request itself, and the provider chooses the place.
    pub automatic: bool,
}

/// What a request asks of the model beside its messages. Some providers put it in words, which
/// are tokens of the prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// To think before it answers, where that is not left to the model.
    pub thinking: bool,
    /// Tokens of the answer that may go into thinking, where the request says.
    pub thinking_tokens: u64,
    /// To call a tool, whichever or a named one.
    pub tool_call: bool,
    /// To compact the prompt before it is read, should it be long.
    pub compaction: bool,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions: `system` and `developer`.
    System,
    /// A person, or a scaffold in their place.
    User,
    /// The model, in an earlier turn.
    Assistant,
    /// The result of a tool call.
    Tool,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// The whole message in the body.
    pub span: Span,
    /// The speaker's name, where the request gives one.
    pub name: Option<JsonStr>,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// The documents and search results whose texts are among the parts: each as sent.
    pub documents: Vec<Span>,
    /// For a tool's result: the id of the call that it answers, where it has one.
    pub answers: Option<JsonStr>,
    /// For a tool's result: whether the client says that the call failed.
    pub is_error: bool,
    /// The tool calls that this (assistant) message makes.
    pub tool_calls: Vec<ToolCall>,
}

/// A piece of a message.
#[derive(Clone, Debug)]
pub enum Part {
    /// Text.
    Text(JsonStr),
    /// An image: the whole part as sent.
    Image(Span),
    /// What the model thought in an earlier turn, in words or sealed by the provider: as sent.
    Thought(Span),
    /// Audio, files and whatever else there is: the whole part as sent.
    Other(Span),
}

/// A tool call that the model made.
#[derive(Clone, Debug)]
pub struct ToolCall {
    /// What its result will [answer](Message::answers), where it has an id.
    pub id: Option<JsonStr>,
    /// The tool's name.
    pub name: JsonStr,
    /// The arguments: a JSON document inside a JSON string, or the document itself.
    pub arguments: JsonStr,
}

/// A tool that is offered to the model.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Its whole definition as sent.
    pub span: Span,
}

// === impl Message ===

impl Message {
    /// A message in which nothing is said yet.
    pub fn new(role: Role, span: Span) -> Message {
        Message {
            role,
            span,
            name: None,
            parts: Vec::new(),
            documents: Vec::new(),
            answers: None,
            is_error: false,
            tool_calls: Vec::new(),
        }
    }
}

// === impl Prompt ===

impl Prompt {
    /// The body's text in `span`; empty where the span does not fit the body.
    pub fn raw(&self, span: &Span) -> &str {
        let bytes = self.body.get(span.clone()).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The decoded text of a string literal, borrowed where it has no escapes.
    ///
    /// A literal that no decoder accepts (half of a surrogate pair) is given as it is spelled.
    pub fn text(&self, literal: &JsonStr) -> Cow<'_, str> {
        let raw = self.raw(&literal.0);
        let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw);
        if !inner.contains('\\') {
            return Cow::Borrowed(inner);
        }
        serde_json::from_str(raw).map_or(Cow::Borrowed(inner), Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_borrowed_unless_it_has_escapes() {
        let body = r#"["plain","tab\t\u00e9","\ud800"]"#;
        let prompt = Prompt { body: Bytes::from_static(body.as_bytes()), ..Prompt::default() };
        assert!(matches!(prompt.text(&JsonStr(1..8)), Cow::Borrowed("plain")));
        assert_eq!(prompt.text(&JsonStr(9..22)), "tab\té");
        assert_eq!(prompt.text(&JsonStr(23..31)), "\\ud800");
        assert_eq!(prompt.text(&JsonStr(90..99)), "");
    }
}
