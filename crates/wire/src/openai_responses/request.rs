//! Reading a request's body.

use bytes::Bytes;
use farthing_core::pricing::Served;
use farthing_core::prompt::{Demands, Prompt};
use farthing_core::usage::CacheTtl;

use super::item::Reader;
use crate::dialect::Dialect;
use crate::fields::{self, flag, positive};
use crate::json::{Json, Kind, pick, type_of};
use crate::openai::note_tier;
use crate::request::{Labels, Request, RequestError};

/// Reads what counting, pricing and attributing need. The rest is the provider's to judge.
///
/// The clients of this API name their conversation in `prompt_cache_key`.
pub(crate) fn parse(body: Bytes) -> Result<Request, RequestError> {
    let document = fields::document(&body)?;
    pick!(document =>
        model, instructions, input, tools, tool_choice, text, stream, max_output_tokens,
        service_tier, user, safety_identifier, prompt_cache_key, metadata, previous_response_id,
        conversation, prompt, context_management, reasoning,
    );
    let format = text.and_then(schema).map(Json::span);
    let mut served_asked = Served::new();
    note_tier(&mut served_asked, service_tier);
    let mut reader = Reader::default();
    reader.instructions(instructions)?;
    reader.input(input)?;
    reader.tools(format_args!("tools"), tools)?;
    let names = [previous_response_id, conversation, prompt];
    let refers = names.into_iter().flatten().any(|name| !name.is_null());
    // A pro model asks itself several times, and all that it asks is counted.
    let repeats = reasoning.is_some_and(|reasoning| {
        pick!(reasoning => mode);
        mode.and_then(Json::as_str).as_deref() == Some("pro")
    });
    Ok(Request {
        dialect: Dialect::OpenAiResponses,
        model: fields::model(model)?,
        stream: flag("stream", stream)?,
        max_output: positive("max_output_tokens", max_output_tokens)?,
        answers: 1,
        served_asked,
        // Providers cache as they see fit.
        cache_asked: reader.markers.longest().max(Some(CacheTtl::FiveMinutes)),
        labels: Labels {
            user: fields::text(user),
            safety_identifier: fields::text(safety_identifier),
            session: fields::text(prompt_cache_key),
            tags: fields::tags(metadata),
        },
        usage_edit: None,
        prompt: Prompt {
            messages: reader.messages,
            tools: reader.tools,
            response_format: format,
            demands: Demands {
                tool_call: tool_choice.is_some_and(must_call),
                compaction: context_management.is_some_and(|managed| !managed.is_null()),
                ..Demands::default()
            },
            unseen: refers || repeats || reader.refers,
            cache_markers: reader.markers.finish(),
            body,
        },
    })
}

/// The JSON schema that the answer must follow, with its name.
fn schema(text: Json) -> Option<Json> {
    pick!(text => format);
    format.filter(|format| type_of(*format) == "json_schema")
}

fn must_call(choice: Json) -> bool {
    match choice.kind() {
        Kind::Object => type_of(choice) != "allowed_tools",
        _ => choice.as_str().as_deref() == Some("required"),
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
