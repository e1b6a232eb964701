//! Putting other terms into a request: a shorter answer, another model.

use bytes::Bytes;

use crate::dialect::Dialect;
use crate::json::Json;
use crate::splice::{self, Edit};

/// The body with a limit on the tokens of each answer, in place of the client's where it has one;
/// `older` says that the provider knows OpenAI's chat limit by its older name alone. `None` where the
/// body cannot be changed so.
pub(crate) fn limited(dialect: Dialect, body: &Bytes, tokens: u64, older: bool) -> Option<Bytes> {
    let document = Json::parse(body).ok()?;
    let edit = match dialect {
        Dialect::OpenAiChat => {
            let names = ["max_completion_tokens", "max_tokens"];
            let new = if older { names[1] } else { names[0] };
            either(document, names, new, tokens)
        }
        Dialect::OpenAiResponses => {
            either(document, ["max_output_tokens"; 2], "max_output_tokens", tokens)
        }
        Dialect::Anthropic => either(document, ["max_tokens"; 2], "max_tokens", tokens),
        Dialect::Gemini => in_config(document, tokens),
        Dialect::OpenAiEmbeddings => return None,
    };
    splice::apply(body, &[edit]).ok()
}

/// The body asking for another model; `None` where its address names the model, or nothing does.
pub(crate) fn of_model(dialect: Dialect, body: &Bytes, model: &str) -> Option<Bytes> {
    if dialect == Dialect::Gemini {
        return None;
    }
    let [named] = Json::parse(body).ok()?.pick(["model"]);
    let with = Bytes::from(serde_json::to_string(model).ok()?);
    splice::apply(body, &[Edit { at: named?.span(), with }]).ok()
}

/// Sets the first of two members that is there, or else a new one.
fn either(object: Json, names: [&str; 2], new: &'static str, tokens: u64) -> Edit {
    let [first, second] = object.pick(names);
    let given = first.filter(|it| !it.is_null()).or(second.filter(|it| !it.is_null()));
    match given.or(first) {
        Some(value) => Edit { at: value.span(), with: tokens.to_string().into() },
        None => insert(object, new, &tokens.to_string()),
    }
}

fn in_config(document: Json, tokens: u64) -> Edit {
    let [config, older] = document.pick(["generationConfig", "generation_config"]);
    match config.or(older).filter(|config| !config.is_null()) {
        Some(config) => {
            either(config, ["maxOutputTokens", "max_output_tokens"], "maxOutputTokens", tokens)
        }
        None => insert(document, "generationConfig", &format!(r#"{{"maxOutputTokens":{tokens}}}"#)),
    }
}

/// Puts a member at the beginning of an object.
fn insert(object: Json, name: &str, value: &str) -> Edit {
    let at = object.span().start + 1;
    let comma = if object.members().next().is_some() { "," } else { "" };
    Edit { at: at..at, with: format!(r#""{name}":{value}{comma}"#).into() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test, helpers included")]

    use super::*;

    fn text(body: Option<Bytes>) -> String {
        String::from_utf8(body.unwrap().to_vec()).unwrap()
    }

    #[test]
    fn a_limit_replaces_the_clients_or_is_put_in_and_nothing_else_changes() {
        let cases = [
            (
                Dialect::OpenAiChat,
                r#"{ "max_tokens": 9, "n":1.0}"#,
                r#"{ "max_tokens": 5, "n":1.0}"#,
            ),
            (
                Dialect::OpenAiChat,
                r#"{"max_completion_tokens":null,"model":"m"}"#,
                r#"{"max_completion_tokens":5,"model":"m"}"#,
            ),
            (Dialect::OpenAiChat, r#"{"model":"m"}"#, r#"{"max_completion_tokens":5,"model":"m"}"#),
            (Dialect::OpenAiResponses, r#"{"a":1}"#, r#"{"max_output_tokens":5,"a":1}"#),
            (Dialect::Anthropic, r#"{"max_tokens":64}"#, r#"{"max_tokens":5}"#),
            (
                Dialect::Gemini,
                r#"{"generationConfig":{"topK":1}}"#,
                r#"{"generationConfig":{"maxOutputTokens":5,"topK":1}}"#,
            ),
            (Dialect::Gemini, "{}", r#"{"generationConfig":{"maxOutputTokens":5}}"#),
        ];
        for (dialect, body, expected) in cases {
            let body = Bytes::from_static(body.as_bytes());
            assert_eq!(text(limited(dialect, &body, 5, false)), expected);
        }
        let older = limited(Dialect::OpenAiChat, &Bytes::from_static(b"{}"), 5, true);
        assert_eq!(text(older), r#"{"max_tokens":5}"#);
    }

    #[test]
    fn another_model_is_named_where_the_body_names_one() {
        let body = Bytes::from_static(br#"{"x":1e2, "model" : "big"}"#);
        let changed = of_model(Dialect::Anthropic, &body, "small");
        assert_eq!(text(changed), r#"{"x":1e2, "model" : "small"}"#);
        assert_eq!(of_model(Dialect::Gemini, &body, "small"), None);
        assert_eq!(of_model(Dialect::OpenAiChat, &Bytes::from_static(b"{}"), "small"), None);
    }
}
