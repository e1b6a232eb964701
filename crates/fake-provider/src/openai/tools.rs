//! Tool definitions as the model reads them: a TypeScript-like namespace.
//!
//! ```text
//! namespace functions {
//!
//! // Reads a file.
//! type read_file = (_: { path: string, lines?: number[] }) => any;
//!
//! // Finds text.
//! type search = (_: {
//! // A regular expression.
//! pattern: string,
//! }) => any;
//!
//! } // namespace functions
//! ```

use std::fmt::Display;

use super::{
    request::Function,
    schema::{Properties, Schema, Types},
};

/// The namespace that holds `functions`.
pub(super) fn namespace(functions: &[Function]) -> String {
    let declarations: String = functions.iter().map(declaration).collect();
    format!("namespace functions {{\n\n{declarations}}} // namespace functions")
}

fn declaration(function: &Function) -> String {
    let comment = comment(function.description.as_deref());
    let name = &function.name;
    let Properties(properties) = &function.parameters.properties;
    if properties.is_empty() {
        format!("{comment}type {name} = () => any;\n\n")
    } else {
        let parameters = object(&function.parameters);
        format!("{comment}type {name} = (_: {parameters}) => any;\n\n")
    }
}

/// One line, or a line for each property where any is described.
fn object(schema: &Schema) -> String {
    let Properties(properties) = &schema.properties;
    let field = |(name, property): &(String, Schema)| {
        let comment = comment(property.description.as_deref());
        let optional = if schema.required.contains(name) { "" } else { "?" };
        format!("{comment}{name}{optional}: {}", kind(property))
    };
    let fields = properties.iter().map(field);
    if properties.iter().any(|(_, property)| property.description.is_some()) {
        let lines: String = fields.map(|field| field + ",\n").collect();
        format!("{{\n{lines}}}")
    } else {
        format!("{{ {} }}", joined(fields, ", "))
    }
}

fn comment(description: Option<&str>) -> String {
    match description {
        None | Some("") => String::new(),
        Some(words) => format!("// {words}\n"),
    }
}

fn kind(schema: &Schema) -> String {
    if !schema.values.is_empty() {
        return joined(&schema.values, " | ");
    }
    if !schema.any_of.is_empty() {
        return joined(schema.any_of.iter().map(kind), " | ");
    }
    match &schema.types {
        Types::Any => "any".to_owned(),
        Types::One(name) => named(name, schema),
        Types::Several(names) => joined(names.iter().map(|name| named(name, schema)), " | "),
    }
}

fn named(name: &str, schema: &Schema) -> String {
    match name {
        "array" => format!("{}[]", schema.items.as_deref().map_or("any".to_owned(), kind)),
        "integer" => "number".to_owned(),
        "object" => object(schema),
        name => name.to_owned(),
    }
}

fn joined(items: impl IntoIterator<Item: Display>, separator: &str) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(separator)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn declared(function: Value) -> String {
        declaration(&serde_json::from_value(function).unwrap())
    }

    #[test]
    fn parameters_without_descriptions_stand_on_one_line_in_their_order() {
        // Written as text: a `Value` would sort the keys.
        let function = r#"{"name": "f", "description": "Does it.", "parameters": {
            "type": "object", "required": ["z"], "properties": {
                "z": {"type": "string"}, "a": {"type": "integer"}
            }
        }}"#;
        let declared = declaration(&serde_json::from_str(function).unwrap());
        assert_eq!(declared, "// Does it.\ntype f = (_: { z: string, a?: number }) => any;\n\n");
    }

    #[test]
    fn described_parameters_have_a_line_each() {
        let properties = json!({"a": {"type": "string", "description": "A path."}, "b": {}});
        let declared = declared(json!({"name": "f", "parameters": {"properties": properties}}));
        assert_eq!(declared, "type f = (_: {\n// A path.\na?: string,\nb?: any,\n}) => any;\n\n");
    }

    #[test]
    fn every_kind_of_schema_has_a_type() {
        for (schema, expected) in [
            (json!({}), "any"),
            (json!({"type": "boolean"}), "boolean"),
            (json!({"type": ["string", "null"]}), "null | string"),
            (json!({"type": "string", "enum": ["a", "b"]}), r#""a" | "b""#),
            (json!({"type": "array"}), "any[]"),
            (json!({"type": "array", "items": {"type": "number"}}), "number[]"),
            (json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}), "number | null"),
            (json!({"type": "object", "properties": {"a": {"type": "null"}}}), "{ a?: null }"),
        ] {
            assert_eq!(kind(&serde_json::from_value(schema).unwrap()), expected);
        }
    }

    #[test]
    fn a_function_without_parameters_takes_none() {
        assert_eq!(declared(json!({"name": "f"})), "type f = () => any;\n\n");
    }
}
