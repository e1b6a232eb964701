//! Tool definitions as the JSON that models are shown, and what sort a tool or part is.
//!
//! Providers do not publish how they show tools to a model; the reported tokens of recorded
//! requests to Anthropic and Google fit the JSON of each function, without white space.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// What a function's parameters are called, by API.
const PARAMETERS: [&str; 4] =
    ["parameters", "input_schema", "parametersJsonSchema", "parameters_json_schema"];

/// A tool that is offered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Definition {
    /// A function of the client's.
    Function {
        /// Its name, description and parameters.
        json: String,
        /// Whether it takes any parameters.
        with_parameters: bool,
        /// Whether the model only finds it when it searches for tools.
        deferred: bool,
    },
    /// Anything else, of this [kind].
    Other(String),
}

/// Reads the JSON definition of a tool.
pub(crate) fn definition(json: &str) -> Definition {
    let tool: Value = serde_json::from_str(json).unwrap_or_default();
    let function = tool.get("function").unwrap_or(&tool);
    let parameters = PARAMETERS.iter().find_map(|name| function.get(*name));
    let clients = tool.get("type").is_none_or(|kind| kind == "function" || kind == "custom");
    if function.get("name").is_none() || !(clients || parameters.is_some()) {
        return Definition::Other(kind(json).into_owned());
    }
    let named = ["name", "description"].map(|name| (name, function.get(name)));
    let shown = named.into_iter().chain([("parameters", parameters)]);
    let shown: BTreeMap<_, _> = shown.filter_map(|(name, value)| Some((name, value?))).collect();
    Definition::Function {
        // A map with strings as keys always serialises.
        json: serde_json::to_string(&shown).unwrap_or_default(),
        with_parameters: parameters.and_then(properties).is_some_and(|named| !named.is_empty()),
        deferred: function.get("defer_loading").and_then(Value::as_bool).unwrap_or_default(),
    }
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

/// What sort of tool or part a JSON object is: its `type`, or the name of its only member. Empty
/// where it says neither.
pub(crate) fn kind(json: &str) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
    }
    if let Ok(Typed { kind }) = serde_json::from_str(json) {
        return kind;
    }
    let members: BTreeMap<String, IgnoredAny> = serde_json::from_str(json).unwrap_or_default();
    let mut names = members.into_keys();
    match (names.next(), names.next()) {
        (Some(name), None) => Cow::Owned(name),
        _ => Cow::Borrowed(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_shown_as_its_name_description_and_parameters() {
        let expected = r#"{"description":"Finds.","name":"find","parameters":{"type":"object"}}"#;
        for (tool, deferred) in [
            (
                r#"{ "name": "find", "input_schema": {"type":"object"}, "description": "Finds.",
                    "cache_control": {"type":"ephemeral"} }"#,
                false,
            ),
            (
                r#"{"type":"custom","name":"find","description":"Finds.","defer_loading":true,
                    "input_schema":{"type":"object"}}"#,
                true,
            ),
            (
                r#"{"name":"find","description":"Finds.","parametersJsonSchema":{"type":"object"}}"#,
                false,
            ),
        ] {
            let json = expected.to_owned();
            let shown = Definition::Function { json, with_parameters: false, deferred };
            assert_eq!(definition(tool), shown);
        }
        let bare = r#"{"name":"now"}"#;
        let json = bare.to_owned();
        let shown = Definition::Function { json, with_parameters: false, deferred: false };
        assert_eq!(definition(bare), shown);
        let tool = r#"{"name":"at","parameters":{"properties":{"hour":{}}}}"#;
        let json = tool.to_owned();
        let shown = Definition::Function { json, with_parameters: true, deferred: false };
        assert_eq!(definition(tool), shown);
    }

    #[test]
    fn a_tool_of_the_provider_has_a_kind() {
        let too_deep = "[".repeat(100_000);
        for (tool, kind) in [
            (r#"{"type":"web_search_20250305","name":"web_search"}"#, "web_search_20250305"),
            (r#"{"googleSearch":{}}"#, "googleSearch"),
            (r#"{"a":1,"b":2}"#, ""),
            (r#"{"type":7}"#, "type"),
            ("null", ""),
            ("", ""),
            (&too_deep, ""),
        ] {
            assert_eq!(definition(tool), Definition::Other(kind.to_owned()), "{tool}");
        }
    }
}
