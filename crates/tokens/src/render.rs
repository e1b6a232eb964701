//! Tool definitions as the text that OpenAI's models are shown.
//!
//! Providers do not publish how they show tools to a model; the reported tokens of recorded
//! requests fit declarations in the manner of TypeScript:
//!
//! ```text
//! namespace functions {
//!
//! // What the tool does.
//! type get_weather = (_: {
//! // What the parameter is.
//! city: string,
//! unit?: "c" | "f",
//! }) => any;
//!
//! } // namespace functions
//! ```
//!
//! They are counted as one text: a word may end with the slashes of the comment that follows it.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// All tools in one text.
pub(crate) struct Namespace {
    pub(crate) text: String,
    /// How many of the tools take parameters.
    pub(crate) with_parameters: i64,
}

/// Declares the tools with these JSON definitions. One that is no function with a name stays JSON.
pub(crate) fn namespace<'a>(definitions: impl Iterator<Item = &'a str>) -> Namespace {
    let mut text = String::from("namespace functions {\n\n");
    let mut with_parameters = 0;
    for definition in definitions {
        let tool: Value = serde_json::from_str(definition).unwrap_or_default();
        let function = tool.get("function").unwrap_or(&tool);
        if let Some(name) = function.get("name").and_then(Value::as_str) {
            let parameters = function.get("parameters").or_else(|| function.get("input_schema"));
            let parameters = parameters.filter(|schema| properties(schema).is_some());
            with_parameters += i64::from(parameters.is_some());
            push_declaration(&mut text, name, function, parameters);
        } else {
            text.push_str(definition);
        }
        text.push_str("\n\n");
    }
    text.push_str("} // namespace functions");
    Namespace { text, with_parameters }
}

fn push_declaration(text: &mut String, name: &str, function: &Value, parameters: Option<&Value>) {
    push_description(text, function);
    text.push_str("type ");
    text.push_str(name);
    text.push_str(" = (");
    if let Some(schema) = parameters {
        text.push_str("_: ");
        push_type(text, schema);
    }
    text.push_str(") => any;");
}

/// What is still to be written, innermost last: schemas nest as deeply as their author likes.
enum Step<'a> {
    Text(&'static str),
    Property { name: &'a str, schema: &'a Value, required: bool },
    Type(&'a Value),
}

fn push_type(text: &mut String, schema: &Value) {
    let mut steps = vec![Step::Type(schema)];
    while let Some(step) = steps.pop() {
        match step {
            Step::Text(literal) => text.push_str(literal),
            Step::Property { name, schema, required } => {
                push_description(text, schema);
                text.push_str(name);
                text.push_str(if required { ": " } else { "?: " });
                steps.extend([Step::Text(",\n"), Step::Type(schema)]);
            }
            Step::Type(schema) => {
                if let Some(properties) = properties(schema) {
                    text.push_str("{\n");
                    steps.push(Step::Text("}"));
                    let required = required(schema);
                    steps.extend(properties.iter().rev().map(|(name, schema)| {
                        let required = required.contains(name.as_str());
                        Step::Property { name, schema, required }
                    }));
                } else if let Some(items) = schema.get("items") {
                    text.push_str("Array<");
                    steps.extend([Step::Text(">"), Step::Type(items)]);
                } else {
                    push_plain_type(text, schema);
                }
            }
        }
    }
}

fn push_plain_type(text: &mut String, schema: &Value) {
    if let Some(Value::Array(values)) = schema.get("enum") {
        for (index, value) in values.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { " | " });
            text.push_str(&value.to_string());
        }
        return;
    }
    text.push_str(match schema.get("type").and_then(Value::as_str) {
        Some("integer") => "number",
        Some(name) => name,
        None => "any",
    });
}

fn push_description(text: &mut String, owner: &Value) {
    let description = owner.get("description").and_then(Value::as_str).unwrap_or_default();
    for line in description.trim_end().lines() {
        let line = line.trim_end();
        text.push_str(if line.is_empty() { "//" } else { "// " });
        text.push_str(line);
        text.push('\n');
    }
}

/// The properties of an object's schema, if it has any.
pub(crate) fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object().filter(|properties| !properties.is_empty())
}

/// The names of the properties that must be given.
fn required(schema: &Value) -> HashSet<&str> {
    let names = schema.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(definition: &str) -> (String, i64) {
        let Namespace { text, with_parameters } = namespace([definition].into_iter());
        let body = text.strip_prefix("namespace functions {\n\n").unwrap();
        (body.strip_suffix("\n\n} // namespace functions").unwrap().to_owned(), with_parameters)
    }

    #[test]
    fn a_function_is_declared_with_its_descriptions_types_and_options() {
        let tool = r#"{"type":"function","function":{
            "name":"find","description":"Finds.\n\n  More.  \n  ",
            "parameters":{"type":"object","required":["q","in"],"properties":{
                "in":{"type":"object","properties":{"n":{"type":"integer","description":"Size"}}},
                "q":{"type":"array","items":{"type":"string"}},
                "u":{"enum":["c",1,null]},
                "x":{"anyOf":[{"type":"string"},{"type":"null"}]}}}}}"#;
        let expected = "// Finds.\n//\n//   More.\ntype find = (_: {\n\
            in: {\n// Size\nn?: number,\n},\nq: Array<string>,\nu?: \"c\" | 1 | null,\nx?: any,\n\
            }) => any;";
        assert_eq!(declared(tool), (expected.to_owned(), 1));
    }

    #[test]
    fn a_function_without_parameters_takes_none() {
        let flat = r#"{"name":"now","input_schema":{"type":"object","properties":{}}}"#;
        assert_eq!(declared(flat), ("type now = () => any;".to_owned(), 0));
    }

    #[test]
    fn what_is_no_function_stays_json() {
        let too_deep = "[".repeat(100_000);
        for text in ["", "null", "7", r#"{"type":"web_search"}"#, r#"{"name":7}"#, &too_deep] {
            assert_eq!(declared(text), (text.to_owned(), 0));
        }
    }
}
