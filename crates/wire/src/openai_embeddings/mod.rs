//! OpenAI's [embeddings](https://platform.openai.com/docs/api-reference/embeddings): a prompt, and
//! no answer that takes tokens.

use bytes::Bytes;
use farthing_core::prompt::{JsonStr, Message, Part, Prompt, Role};

use crate::answer::{self, Answer, AnswerError, error_message};
use crate::dialect::Dialect;
use crate::fields::{self, Elements, text};
use crate::json::{Json, Kind, pick};
use crate::openai::charged::charged;
use crate::openai::usage::{EMBEDDINGS, reported};
use crate::request::{Labels, Request, RequestError};
use crate::stream::{OfUsage, Seen};

pub(crate) const PATH: &str = "/embeddings";

/// Reads what counting, pricing and attributing need. The rest is the provider's to judge.
pub(crate) fn parse(body: Bytes) -> Result<Request, RequestError> {
    let document = fields::document(&body)?;
    pick!(document => model, input, user);
    let model = fields::model(model)?;
    let messages = messages(fields::required("input", input)?)?;
    Ok(Request {
        dialect: Dialect::OpenAiEmbeddings,
        model,
        stream: false,
        max_output: Some(0),
        answers: 1,
        served_asked: farthing_core::pricing::Served::new(),
        cache_asked: None,
        labels: Labels { user: text(user), ..Labels::default() },
        usage_edit: None,
        prompt: Prompt { messages, body, ..Prompt::default() },
    })
}

/// Each text as a message of its own. Tokens in place of text stay as they are spelled: no token
/// is shorter than its number.
fn messages(input: Json) -> Result<Vec<Message>, RequestError> {
    let message = |value: Json| {
        let parts = vec![Part::Text(JsonStr(value.span()))];
        Message { parts, ..Message::new(Role::User, value.span()) }
    };
    let first = input.elements().next();
    if input.kind() == Kind::String || first.is_some_and(|first| first.kind() == Kind::Number) {
        return Ok(vec![message(input)]);
    }
    let path = format_args!("input");
    let (mut elements, mut messages) = (Elements::default(), Vec::new());
    for value in fields::array(path, input, "a string, or an array of strings or of tokens")? {
        elements.add(path)?;
        messages.push(message(value));
    }
    Ok(messages)
}

/// Reads an answer. Its vectors are nobody's text.
pub(crate) fn read(body: &Bytes) -> Result<Answer, AnswerError> {
    let document = answer::document(body)?;
    pick!(document => model, usage, error);
    Ok(Answer {
        model: text(model),
        usage: reported(usage, EMBEDDINGS),
        charged: usage.and_then(charged),
        error: error.and_then(error_message),
        ..Answer::empty(body)
    })
}

/// Embeddings do not stream; what comes as events all the same is read like an answer.
pub(crate) fn read_event(event: Json, seen: &mut Seen) -> OfUsage {
    pick!(event => model, usage);
    seen.model = text(model).or(seen.model.take());
    seen.usage = reported(usage, EMBEDDINGS);
    OfUsage::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(input: &str) -> Vec<String> {
        let body = format!(r#"{{"model":"m","input":{input}}}"#);
        let prompt = parse(body.into()).unwrap().prompt;
        let said = |message: &Message| match message.parts.as_slice() {
            [Part::Text(text)] => prompt.text(text).into_owned(),
            other => panic!("{other:?}"),
        };
        prompt.messages.iter().map(said).collect()
    }

    #[test]
    fn input_is_one_text_or_many_or_tokens() {
        assert_eq!(texts(r#""a\tb""#), ["a\tb"]);
        assert_eq!(texts(r#"["a","b"]"#), ["a", "b"]);
        assert_eq!(texts("[1,2]"), ["[1,2]"]);
        assert_eq!(texts("[[1,2],[3]]"), ["[1,2]", "[3]"]);
        assert_eq!(texts("[]"), [""; 0]);
        let missing = parse(Bytes::from_static(br#"{"model":"m"}"#)).unwrap_err();
        assert_eq!(missing.param(), Some("input"));
    }
}
