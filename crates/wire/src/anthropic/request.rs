//! Reading a request's body.

use bytes::Bytes;
use farthing_core::pricing::Served;
use farthing_core::prompt::{Demands, Prompt};

use super::message::Reader;
use super::note_served;
use crate::dialect::Dialect;
use crate::fields::{self, flag};
use crate::json::{Json, Kind, pick, type_of};
use crate::request::{Labels, Request, RequestError};

/// Reads what counting, pricing and attributing need. The rest is the provider's to judge.
///
/// Thinking needs nothing of its own: its budget lies within `max_tokens`.
pub(crate) fn parse(body: Bytes) -> Result<Request, RequestError> {
    let document = fields::document(&body)?;
    pick!(document =>
        model, system, messages, tools, mcp_servers, output_config, output_format, stream,
        max_tokens, cache_control, thinking, tool_choice, metadata,
    );
    let model = fields::model(model)?;
    let messages = fields::required("messages", messages)?;
    let mut served_asked = Served::new();
    note_served(&mut served_asked, document);
    let mut reader = Reader::default();
    reader.markers.note_automatic(cache_control);
    let messages = reader.messages(system, messages)?;
    let mut tools = reader.tools("tools", tools)?;
    tools.extend(reader.tools("mcp_servers", mcp_servers)?);
    Ok(Request {
        dialect: Dialect::Anthropic,
        model,
        stream: flag("stream", stream)?,
        max_output: max_output(max_tokens)?,
        answers: 1,
        served_asked,
        cache_asked: reader.markers.longest(),
        labels: metadata.map(labels).unwrap_or_default(),
        usage_edit: None,
        prompt: Prompt {
            messages,
            tools,
            response_format: schema(output_config, output_format).map(Json::span),
            demands: Demands {
                thinking: thinking.is_some_and(|how| type_of(how) == "enabled"),
                thinking_tokens: thinking
                    .and_then(|how| how.pick(["budget_tokens"])[0])
                    .and_then(Json::as_count)
                    .unwrap_or_default(),
                tool_call: tool_choice.is_some_and(|how| matches!(&*type_of(how), "any" | "tool")),
                ..Demands::default()
            },
            cache_markers: reader.markers.finish(),
            body,
            ..Prompt::default()
        },
    })
}

/// The tokens that an answer may have; none where only the cache is to be filled.
fn max_output(max_tokens: Option<Json>) -> Result<Option<u64>, RequestError> {
    let Some(value) = max_tokens.filter(|value| !value.is_null()) else { return Ok(None) };
    let count = value.as_count();
    count.map(Some).ok_or_else(|| RequestError::wrong("max_tokens", value, "a whole number"))
}

/// The JSON schema that the answer must follow: `output_config.format`, earlier `output_format`.
fn schema<'a>(config: Option<Json<'a>>, older: Option<Json<'a>>) -> Option<Json<'a>> {
    let format = config.and_then(|config| config.pick(["format"])[0]).or(older)?;
    pick!(format => schema);
    schema.filter(|schema| schema.kind() == Kind::Object)
}

/// Who `metadata.user_id` says is behind the request.
///
/// Claude Code puts more than a user there: JSON with a `session_id`, in older versions
/// `user_<device>_account_<id>_session_<id>`. Of both only the session is taken, because the rest
/// tells a device and not a person.
fn labels(metadata: Json) -> Labels {
    pick!(metadata => user_id);
    let Some(id) = user_id.and_then(Json::as_str) else { return Labels::default() };
    if let Ok(parts) = Json::parse(id.as_bytes())
        && parts.kind() == Kind::Object
    {
        pick!(parts => session_id);
        let session = session_id.and_then(Json::as_str).map(String::from);
        return Labels { session, ..Labels::default() };
    }
    match id.strip_prefix("user_").and_then(|rest| rest.split_once("_session_")) {
        Some((_, session)) => Labels { session: Some(session.into()), ..Labels::default() },
        None => Labels { user: Some(id.into_owned()), ..Labels::default() },
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
