//! What the provider answers, turn by turn.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;
use thiserror::Error;

/// Turns for the models that the script does not name.
const ANY_MODEL: &str = "*";

/// The assistant's turns, for every model or for each by its name.
///
/// Which turn answers depends on the request alone: the first one where the conversation holds no
/// assistant message yet, the second where it holds one, and so on. So any number of
/// conversations can follow one script at the same time. Past its end, and where it is empty,
/// some sentences are made up from the prompt, the same ones for the same prompt.
///
/// A turn that calls tools answers only requests that offer them, as a model calls no tool that
/// it was not told of; any other request gets made-up sentences. So the side requests of an
/// agent, as for the title of a conversation, leave its script alone.
///
/// As JSON it is an array of turns, or an object of such arrays by model as requested (`"*"` for
/// all others). A turn has `content`, `tool_calls` or both, and may have `reasoning_tokens`:
///
/// ```
/// let script = r#"[
///     { "tool_calls": [
///         { "id": "call_1", "name": "read_file", "arguments": { "path": "Cargo.toml" } }
///     ] },
///     { "content": "It is a workspace of nine crates.", "reasoning_tokens": 64 }
/// ]"#;
/// farthing_fake_provider::Script::from_json(script)?;
/// # Ok::<(), farthing_fake_provider::ScriptError>(())
/// ```
///
/// Arguments that are an object are sent compact, with their keys sorted; to have other bytes,
/// write them as a string.
#[derive(Clone, Debug, Default)]
pub struct Script {
    turns: HashMap<String, Vec<Turn>>,
}

/// Why a text is no script.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// It is not JSON, or not JSON of the shape that [`Script`] describes.
    #[error("not a script: {0}")]
    Json(#[from] serde_json::Error),
    /// A turn has neither content nor tool calls.
    #[error("turn {turn} for model {model} is empty: give it content or tool_calls")]
    EmptyTurn {
        /// The model that the turn is for, `*` for any.
        model: String,
        /// Which turn of that model, from 1.
        turn: usize,
    },
}

/// One answer of the assistant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Turn {
    pub(crate) content: Option<String>,
    #[serde(default)]
    pub(crate) tool_calls: Vec<ToolCall>,
    #[serde(default)]
    pub(crate) reasoning_tokens: u32,
}

/// A call that the assistant asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolCall {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(deserialize_with = "text_or_object")]
    pub(crate) arguments: String,
}

impl Script {
    /// Reads a script from JSON.
    ///
    /// # Errors
    ///
    /// [`ScriptError`] says where the text departs from the shape above.
    pub fn from_json(json: &str) -> Result<Self, ScriptError> {
        let turns: HashMap<String, Vec<Turn>> = if json.trim_start().starts_with('[') {
            HashMap::from([(ANY_MODEL.to_owned(), serde_json::from_str(json)?)])
        } else {
            serde_json::from_str(json)?
        };
        for (model, turns) in &turns {
            if let Some(position) = turns.iter().position(Turn::is_empty) {
                let model = model.clone();
                return Err(ScriptError::EmptyTurn { model, turn: position + 1 });
            }
        }
        Ok(Self { turns })
    }

    /// The turn that follows `assistant_turns` earlier ones of `model`, if the script has it and
    /// all tools that it calls are offered.
    pub(crate) fn turn(
        &self,
        model: &str,
        assistant_turns: usize,
        is_offered: impl Fn(&str) -> bool,
    ) -> Option<&Turn> {
        let turns = self.turns.get(model).or_else(|| self.turns.get(ANY_MODEL))?;
        let turn = turns.get(assistant_turns)?;
        turn.tool_calls.iter().all(|call| is_offered(&call.name)).then_some(turn)
    }
}

impl Turn {
    fn is_empty(&self) -> bool {
        self.content.is_none() && self.tool_calls.is_empty()
    }
}

fn text_or_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        object @ Value::Object(_) => Ok(object.to_string()),
        other => {
            Err(D::Error::custom(format!("arguments are {other}: write an object or a string")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(script: &Script, model: &str, turn: usize) -> Option<String> {
        script.turn(model, turn, |_| true)?.content.clone()
    }

    #[test]
    fn turns_follow_one_another_and_end() {
        let script = Script::from_json(r#"[{"content":"one"},{"content":"two"}]"#).unwrap();
        let said: Vec<_> = (0..3).map(|turn| content(&script, "gpt-4o", turn)).collect();
        assert_eq!(said, [Some("one".to_owned()), Some("two".to_owned()), None]);
    }

    #[test]
    fn a_model_with_turns_of_its_own_does_not_use_the_others() {
        let json = r#"{"gpt-4o":[{"content":"big"}],"*":[{"content":"any"},{"content":"more"}]}"#;
        let script = Script::from_json(json).unwrap();
        assert_eq!(content(&script, "gpt-4o", 0).as_deref(), Some("big"));
        assert_eq!(content(&script, "gpt-4o", 1), None);
        assert_eq!(content(&script, "gpt-4o-mini", 1).as_deref(), Some("more"));
    }

    #[test]
    fn a_turn_is_for_requests_that_offer_all_tools_it_calls() {
        let json = r#"[{"tool_calls":[
            {"id":"1","name":"read","arguments":{}}, {"id":"2","name":"write","arguments":{}}
        ]}]"#;
        let script = Script::from_json(json).unwrap();
        for (offered, is_answered) in
            [(&["read", "write", "list"][..], true), (&["read"], false), (&[], false)]
        {
            let turn = script.turn("gpt-4o", 0, |name| offered.contains(&name));
            assert_eq!(turn.is_some(), is_answered, "{offered:?}");
        }
    }

    #[test]
    fn arguments_keep_the_bytes_of_a_string() {
        let json = r#"[{"tool_calls":[
            {"id":"1","name":"f","arguments":"{ \"b\": 1 }"},
            {"id":"2","name":"f","arguments":{ "b": 1 }}
        ]}]"#;
        let script = Script::from_json(json).unwrap();
        let calls = &script.turn("gpt-4o", 0, |_| true).unwrap().tool_calls;
        assert_eq!(calls[0].arguments, r#"{ "b": 1 }"#);
        assert_eq!(calls[1].arguments, r#"{"b":1}"#);
    }

    #[test]
    fn what_is_wrong_with_a_script_is_said() {
        for (json, message) in [
            ("", "EOF"),
            ("[{}]", "turn 1 for model * is empty"),
            (r#"{"gpt-4o":[{"content":"a"},{}]}"#, "turn 2 for model gpt-4o"),
            (r#"[{"text":"a"}]"#, "unknown field `text`"),
            (r#"[{"tool_calls":[{"id":"1","name":"f","arguments":5}]}]"#, "arguments are 5"),
        ] {
            let error = Script::from_json(json).unwrap_err().to_string();
            assert!(error.contains(message), "{json}: {error}");
        }
    }
}
