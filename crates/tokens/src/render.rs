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
//! unit?: "c" | "f"}) => any;
//!
//! } // namespace functions
//! ```
//!
//! They are counted as one text: a word may end with the slashes of the comment that follows it.
//! Newer models are shown what differs in [`Manner`].

use std::collections::HashSet;

use crate::schema::Node;

/// All tools in one text.
pub(crate) struct Namespace {
    pub(crate) text: String,
    /// Whether all of it is of a sort that recorded requests bear out.
    pub(crate) is_plain: bool,
}

/// How a generation of models is shown declarations.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    /// Before the type of the parameters.
    argument: &'static str,
    /// Between a brace and a comment.
    gap: &'static str,
    /// After the last property.
    last: &'static str,
    /// Whether what is said of a whole schema is shown.
    describes_schemas: bool,
    /// Whether a property that may be of several types is shown to be of any.
    names_any: bool,
}

/// Up to GPT-4.5.
pub(crate) const GPT_4: Manner =
    Manner { argument: "_: ", gap: "", last: "", describes_schemas: false, names_any: false };
/// GPT-5, and the reasoning models before it.
pub(crate) const GPT_5: Manner =
    Manner { argument: "_:", gap: " ", last: ",\n", describes_schemas: true, names_any: true };

/// Declares the tools with these JSON definitions. One that is no function with a name stays JSON.
pub(crate) fn namespace<'a>(
    manner: Manner,
    definitions: impl Iterator<Item = &'a str>,
) -> Namespace {
    let mut writer = Writer { manner, text: String::new(), is_plain: true };
    writer.text.push_str("namespace functions {\n\n");
    for (index, definition) in definitions.enumerate() {
        let tool = Node::read(definition);
        let function = tool.get("function").unwrap_or(&tool);
        if let Some(name) = function.get("name").and_then(Node::as_str) {
            let gap = if index == 0 { manner.gap } else { "" };
            writer.declare(gap, name, function);
        } else {
            writer.is_plain = false;
            writer.text.push_str(definition);
        }
        writer.text.push_str("\n\n");
    }
    writer.text.push_str("} // namespace functions");
    Namespace { text: writer.text, is_plain: writer.is_plain }
}

struct Writer {
    manner: Manner,
    text: String,
    is_plain: bool,
}

/// What is still to be written, innermost last: schemas nest as deeply as their author likes.
enum Step<'a> {
    Text(&'static str),
    Property { gap: &'static str, name: &'a str, schema: &'a Node, required: bool },
    Type(&'a Node),
}

// === impl Writer ===

impl Writer {
    fn declare(&mut self, gap: &str, name: &str, function: &Node) {
        self.describe(gap, function);
        let parameters = function.get("parameters").or_else(|| function.get("input_schema"));
        let parameters = parameters.filter(|schema| properties(schema).is_some());
        self.text.push_str("type ");
        self.text.push_str(name);
        self.text.push_str(" = (");
        if let Some(schema) = parameters {
            self.text.push_str(self.manner.argument);
            if self.manner.describes_schemas {
                self.describe("", schema);
            }
            self.text.push_str("{\n");
            self.write(Self::members(self.manner, schema));
        }
        self.text.push_str(") => any;");
    }

    fn write<'a>(&mut self, mut steps: Vec<Step<'a>>) {
        while let Some(step) = steps.pop() {
            match step {
                Step::Text(literal) => self.text.push_str(literal),
                Step::Property { gap, name, schema, required } => {
                    self.is_plain &= schema.get("default").is_none();
                    self.describe(gap, schema);
                    self.text.push_str(name);
                    self.text.push_str(if required { "" } else { "?" });
                    if self.manner.names_any || schema.get("anyOf").is_none() {
                        self.text.push_str(": ");
                        steps.push(Step::Type(schema));
                    } else {
                        self.is_plain = false;
                    }
                }
                Step::Type(schema) => {
                    if properties(schema).is_some() {
                        self.is_plain = false;
                        self.text.push_str("{\n");
                        steps.extend(Self::members(self.manner, schema));
                    } else if let Some(items) = schema.get("items") {
                        steps.extend([Step::Text("[]"), Step::Type(items)]);
                    } else {
                        self.push_plain_type(schema);
                    }
                }
            }
        }
    }

    /// What is to be written for the properties of an object, its end first.
    fn members<'a>(manner: Manner, schema: &'a Node) -> Vec<Step<'a>> {
        let required = required(schema);
        let mut steps = vec![Step::Text("}"), Step::Text(manner.last)];
        let properties = properties(schema).unwrap_or_default();
        for (index, (name, schema)) in properties.iter().enumerate().rev() {
            let gap = if index == 0 { manner.gap } else { "" };
            let required = required.contains(name.as_str());
            steps.push(Step::Property { gap, name, schema, required });
            if index > 0 {
                steps.push(Step::Text(",\n"));
            }
        }
        steps
    }

    fn push_plain_type(&mut self, schema: &Node) {
        if let Some(values) = schema.get("enum") {
            for (index, value) in values.elements().iter().enumerate() {
                self.text.push_str(if index == 0 { "" } else { " | " });
                if let Node::Plain(value) = value {
                    self.text.push_str(&value.to_string());
                }
            }
            self.is_plain = false;
            return;
        }
        self.text.push_str(match schema.get("type").and_then(Node::as_str) {
            Some("integer") => "number",
            Some(name) => name,
            None => {
                self.is_plain = false;
                "any"
            }
        });
    }

    fn describe(&mut self, gap: &str, owner: &Node) {
        let description = owner.get("description").and_then(Node::as_str).unwrap_or_default();
        let description = description.trim_end();
        if !description.is_empty() {
            self.text.push_str(gap);
        }
        for line in description.lines() {
            let line = line.trim_end();
            self.text.push_str(if line.is_empty() { "//" } else { "// " });
            self.text.push_str(line);
            self.text.push('\n');
        }
    }
}

/// The properties of an object's schema, if it has any.
fn properties(schema: &Node) -> Option<&[(String, Node)]> {
    let properties = schema.get("properties")?.members();
    (!properties.is_empty()).then_some(properties)
}

/// The names of the properties that must be given.
fn required(schema: &Node) -> HashSet<&str> {
    let names = schema.get("required").map(Node::elements);
    names.into_iter().flatten().filter_map(Node::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(manner: Manner, definition: &str) -> (String, bool) {
        let Namespace { text, is_plain } = namespace(manner, [definition].into_iter());
        let body = text.strip_prefix("namespace functions {\n\n").unwrap();
        (body.strip_suffix("\n\n} // namespace functions").unwrap().to_owned(), is_plain)
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
            in: {\n// Size\nn?: number},\nq: string[],\nu?: \"c\" | 1 | null,\nx?\
            }) => any;";
        assert_eq!(declared(GPT_4, tool), (expected.to_owned(), false));
    }

    #[test]
    fn newer_models_are_shown_comments_apart_and_what_schemas_say() {
        let tool = r#"{"name":"find","description":"Finds.","parameters":{"type":"object",
            "description":"All.","required":["q"],
            "properties":{"q":{"type":"string","description":"What."},"n":{"type":"integer"}}}}"#;
        let expected = " // Finds.\ntype find = (_:// All.\n{\n // What.\nq: string,\n\
            n?: number,\n}) => any;";
        assert_eq!(declared(GPT_5, tool), (expected.to_owned(), true));
    }

    #[test]
    fn a_function_without_parameters_takes_none() {
        let flat = r#"{"name":"now","input_schema":{"type":"object","properties":{}}}"#;
        assert_eq!(declared(GPT_4, flat), ("type now = () => any;".to_owned(), true));
    }

    #[test]
    fn what_is_no_function_stays_json() {
        let too_deep = "[".repeat(100_000);
        for text in ["", "null", "7", r#"{"type":"web_search"}"#, r#"{"name":7}"#, &too_deep] {
            assert_eq!(declared(GPT_5, text), (text.to_owned(), false));
        }
    }
}
