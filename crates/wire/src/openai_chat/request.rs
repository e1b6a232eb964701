//! Reading a request's body.

use bytes::Bytes;
use farthing_core::pricing::Served;
use farthing_core::prompt::Prompt;
use farthing_core::usage::CacheTtl;

use super::message::Reader;
use crate::dialect::Dialect;
use crate::fields::{self, flag, positive, text};
use crate::json::{Json, Kind, pick};
use crate::openai::note_tier;
use crate::request::{Labels, Request, RequestError};
use crate::splice::Edit;

/// Reads what counting, pricing and attributing need. The rest is the provider's to judge.
pub(crate) fn parse(body: Bytes) -> Result<Request, RequestError> {
    let document = fields::document(&body)?;
    pick!(document =>
        model, messages, tools, functions, response_format, stream, stream_options, n,
        max_completion_tokens, max_tokens, service_tier, user, safety_identifier, metadata,
    );
    let model = fields::model(model)?;
    let messages = fields::required("messages", messages)?;
    let stream = flag("stream", stream)?;
    let mut served_asked = Served::new();
    note_tier(&mut served_asked, service_tier);
    let mut reader = Reader::default();
    let messages = reader.messages(messages)?;
    let mut tools = reader.tools("tools", tools)?;
    tools.extend(reader.tools("functions", functions)?);
    let response_format = response_format.and_then(json_schema).map(Json::span);
    Ok(Request {
        dialect: Dialect::OpenAiChat,
        model,
        stream,
        max_output: max_output(max_completion_tokens, max_tokens)?,
        answers: positive("n", n)?.unwrap_or(1),
        served_asked,
        // Providers cache as they see fit.
        cache_asked: reader.markers.longest().max(Some(CacheTtl::FiveMinutes)),
        labels: Labels {
            user: text(user),
            safety_identifier: text(safety_identifier),
            session: None,
            tags: fields::tags(metadata),
        },
        usage_edit: if stream { ask_for_usage(document, stream_options)? } else { None },
        prompt: Prompt {
            messages,
            tools,
            response_format,
            cache_markers: reader.markers.finish(),
            body,
            ..Prompt::default()
        },
    })
}

fn json_schema(response_format: Json) -> Option<Json> {
    pick!(response_format => json_schema);
    json_schema.filter(|schema| schema.kind() == Kind::Object)
}

/// The tokens that an answer may have. Where both names are given, providers differ in which they
/// heed, so the larger counts.
fn max_output(new: Option<Json>, old: Option<Json>) -> Result<Option<u64>, RequestError> {
    Ok(positive("max_completion_tokens", new)?.max(positive("max_tokens", old)?))
}

/// The change after which a stream ends with its usage; `None` where the client asked itself.
fn ask_for_usage(document: Json, options: Option<Json>) -> Result<Option<Edit>, RequestError> {
    let replace = |value: Json, with| Edit { at: value.span(), with: Bytes::from_static(with) };
    let Some(options) = options else {
        return Ok(Some(document.append(r#""stream_options":{"include_usage":true}"#)));
    };
    match options.kind() {
        Kind::Null => return Ok(Some(replace(options, br#"{"include_usage":true}"#))),
        Kind::Object => {}
        _ => return Err(RequestError::wrong("stream_options", options, "an object or null")),
    }
    pick!(options => include_usage);
    let asked = flag("stream_options.include_usage", include_usage)?;
    Ok(match include_usage {
        _ if asked => None,
        Some(refused) => Some(replace(refused, b"true")),
        None => Some(options.append(r#""include_usage":true"#)),
    })
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
