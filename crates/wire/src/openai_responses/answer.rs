//! Reading an answer that came in one piece, or a stream's last event.

use bytes::Bytes;
use farthing_core::pricing::Served;

use super::item::each_text;
use super::server_tools::ServerTools;
use crate::answer::{self, Answer, AnswerError, Reported, error_message};
use crate::json::{Json, pick};
use crate::openai::charged::charged;
use crate::openai::note_tier;
use crate::openai::usage::{RESPONSES, reported};
use crate::tool_use;

pub(crate) fn read(body: &Bytes) -> Result<Answer, AnswerError> {
    let document = answer::document(body)?;
    pick!(document => model, service_tier, output, usage, error);
    let mut served = Served::new();
    note_tier(&mut served, service_tier);
    let (mut texts, mut tools) = (Vec::new(), Vec::new());
    for item in output.into_iter().flat_map(Json::elements) {
        each_text(item, &mut |text| texts.push(text.span()));
        tool_use::of_response(item, &mut tools);
    }
    Ok(Answer {
        model: model.and_then(Json::as_str).map(String::from),
        served,
        usage: with_tools(reported(usage, RESPONSES), &ServerTools::of(output)),
        charged: usage.and_then(charged),
        finish_reason: finish_reason(document),
        error: error.and_then(error_message),
        tools,
        texts,
        body: body.clone(),
    })
}

/// What was consumed, with the tools that the provider ran.
pub(super) fn with_tools(reported: Reported, tools: &ServerTools) -> Reported {
    match reported {
        Reported::Valid(usage) => Reported::Valid(usage.plus(&tools.counts())),
        Reported::NoPrompt(usage) => Reported::NoPrompt(usage.plus(&tools.counts())),
        other => other,
    }
}

/// Why a response ended; while it has not, nothing.
pub(super) fn finish_reason(response: Json) -> Option<String> {
    pick!(response => status, incomplete_details);
    let reason = incomplete_details.and_then(|details| details.pick(["reason"])[0]);
    let status = status
        .filter(|status| !matches!(status.as_str().as_deref(), Some("in_progress" | "queued")));
    reason.and_then(Json::as_str).or(status.and_then(Json::as_str)).map(String::from)
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
