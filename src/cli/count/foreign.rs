//! Requests in formats that the gateway does not speak, read as the nearest one that it does: enough
//! for an estimate.

use bytes::Bytes;
use farthing_wire::{Dialect, Request};
use serde_json::{Value, json};

use crate::cli::dialects;

/// Reads a request that was sent to `uri`, in any format whose messages can be found.
///
/// What is not in one of our dialects is never counted exactly: it is said to be unseen in part.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(
    dialect: Option<Dialect>,
    uri: Option<&str>,
    body: Bytes,
) -> Result<Request, String> {
    let (None, Some(address)) = (dialect, uri) else { return dialects::parse(dialect, uri, body) };
    if is_converse(address) {
        let body: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let body = converse(&body, model(address)).to_string();
        return dialects::parse(Some(Dialect::Anthropic), None, body.into());
    }
    if dialects::of_uri(address).is_ok() {
        return dialects::parse(None, uri, body);
    }
    // The shape of the body has to tell. What names no model, as prompts that are to be cached, has
    // it in the address or not at all.
    let mut members: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    if let Some(members) = members.as_object_mut() {
        members.entry("model").or_insert_with(|| model(address).into());
    }
    let mut request = dialects::parse(None, None, members.to_string().into())?;
    request.prompt.unseen = true;
    Ok(request)
}

/// Whether this is an address of Amazon Bedrock's converse.
pub(super) fn is_converse(uri: &str) -> bool {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    path.ends_with("/converse") || path.ends_with("/converse-stream")
}

/// The model that an address names, such as in `/model/us.amazon.nova-pro-v1%3A0/converse`.
fn model(uri: &str) -> String {
    let named = uri.split_once("/model/").and_then(|(_, rest)| rest.split('/').next());
    named.unwrap_or("unknown").replace("%3A", ":").replace("%3a", ":")
}

/// A converse request as one for Anthropic's messages, which it is closest to.
fn converse(body: &Value, model: String) -> Value {
    let messages = list(body, "messages").iter();
    let messages = messages.map(
        |message| json!({"role": message.get("role"), "content": blocks(list(message, "content"))}),
    );
    let config = body.get("toolConfig").unwrap_or(&Value::Null);
    let tools = list(config, "tools").iter().filter_map(|tool| {
        let spec = tool.get("toolSpec")?;
        let schema = spec.get("inputSchema").and_then(|schema| schema.get("json"));
        let mut tool = json!({"name": spec.get("name"), "input_schema": schema});
        if let (Some(tool), Some(description)) = (tool.as_object_mut(), spec.get("description")) {
            tool.insert("description".to_owned(), description.clone());
        }
        Some(tool)
    });
    let choice = match config.get("toolChoice") {
        Some(choice) if choice.get("any").or(choice.get("tool")).is_some() => "any",
        _ => "auto",
    };
    let more = body.get("additionalModelRequestFields").unwrap_or(&Value::Null);
    let format = body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema");
    // A schema comes as the text of one.
    let schema: Option<Value> =
        format.and_then(|schema| serde_json::from_str(schema.as_str()?).ok());
    let format = schema.map(|schema| json!({"type": "json_schema", "schema": schema}));
    let system = blocks(list(body, "system"));
    json!({
        "model": model,
        "max_tokens": 1,
        "system": Some(system).filter(|system| !system.is_empty()),
        "thinking": more.get("thinking").or(more.get("reasoning_config")),
        "output_config": {"format": format},
        "messages": messages.collect::<Vec<_>>(),
        "tools": tools.collect::<Vec<_>>(),
        "tool_choice": {"type": choice},
    })
}

/// Blocks of content; marks of where to cache are none.
fn blocks(blocks: &[Value]) -> Vec<Value> {
    blocks.iter().filter(|block| block.get("cachePoint").is_none()).map(block).collect()
}

/// One block. What is not known stays what it is, and is counted as something of no known size.
fn block(block: &Value) -> Value {
    let of = |name| block.get(name);
    if let Some(text) = of("text") {
        json!({"type": "text", "text": text})
    } else if let Some(json) = of("json") {
        json!({"type": "text", "text": json.to_string()})
    } else if let Some(call) = of("toolUse") {
        let [id, name, input] = ["toolUseId", "name", "input"].map(|name| call.get(name));
        json!({"type": "tool_use", "id": id, "name": name, "input": input})
    } else if let Some(result) = of("toolResult") {
        let content = blocks(list(result, "content"));
        json!({"type": "tool_result", "tool_use_id": result.get("toolUseId"), "content": content})
    } else if let Some(thought) = of("reasoningContent").and_then(|of| of.get("reasoningText")) {
        let [text, signature] = ["text", "signature"].map(|name| thought.get(name));
        json!({"type": "thinking", "thinking": text, "signature": signature})
    } else if let Some((sort, file)) =
        ["image", "document"].into_iter().find_map(|sort| Some((sort, of(sort)?)))
    {
        json!({"type": sort, "source": source(sort, file)})
    } else {
        json!({"type": "unknown", "block": block})
    }
}

/// Where a file is, or what is in it.
fn source(sort: &str, file: &Value) -> Value {
    let format = file.get("format").and_then(Value::as_str).unwrap_or_default();
    let media_type = match (sort, format) {
        ("image", format) => format!("image/{format}"),
        (_, "pdf") => "application/pdf".to_owned(),
        (_, "txt" | "md" | "html" | "csv") => format!("text/{format}"),
        (_, format) => format!("application/{format}"),
    };
    match file.get("source").and_then(|source| source.get("bytes")) {
        Some(data) => json!({"type": "base64", "media_type": media_type, "data": data}),
        None => json!({"type": "url", "media_type": media_type}),
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONVERSE: &str =
        "https://bedrock.example/model/us.amazon.nova-pro-v1%3A0/converse-stream";

    #[test]
    fn converse_is_read_with_its_tools_calls_and_results() {
        let body = json!({
            "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
            "messages": [
                {"role": "user", "content": [{"text": "Where am I?"}]},
                {"role": "assistant", "content": [
                    {"toolUse": {"toolUseId": "1", "name": "where", "input": {}}}]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "1", "content": [{"json": {"at": "sea"}}]}}]},
            ],
            "toolConfig": {
                "tools": [{"toolSpec": {"name": "where", "inputSchema": {"json": {"type": "object"}}}}],
                "toolChoice": {"any": {}},
            },
        });
        let request = parse(None, Some(CONVERSE), body.to_string().into()).unwrap();
        assert_eq!(request.model.as_str(), "us.amazon.nova-pro-v1:0");
        assert_eq!((request.prompt.messages.len(), request.prompt.tools.len()), (4, 1));
        assert!(request.prompt.demands.tool_call);
    }

    #[test]
    fn a_format_of_no_known_address_is_read_by_its_shape_and_in_part_unseen() {
        for (uri, body) in [
            (
                "https://api.cohere.com/v2/chat",
                r#"{"model":"c","messages":[{"role":"user","content":"x"}]}"#,
            ),
            ("https://api.openai.com/v1/responses/compact", r#"{"model":"gpt-4o","input":"x"}"#),
            (
                "https://g.example/v1beta/cachedContents",
                r#"{"contents":[{"parts":[{"text":"x"}]}]}"#,
            ),
        ] {
            let request = parse(None, Some(uri), Bytes::from_static(body.as_bytes())).unwrap();
            assert!(request.prompt.unseen && request.prompt.messages.len() == 1, "{uri}");
        }
        assert!(parse(None, Some("https://x.example/y"), Bytes::from_static(b"[]")).is_err());
        assert!(parse(None, Some(CONVERSE), Bytes::from_static(b"{")).is_err());
    }
}
