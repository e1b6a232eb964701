//! Reading an answer that came in one piece.

use bytes::Bytes;
use farthing_core::pricing::Served;

use super::message::each_text;
use crate::answer::{self, Answer, AnswerError, error_message};
use crate::json::{Json, pick};
use crate::openai::charged::charged;
use crate::openai::note_tier;
use crate::openai::usage::{CHAT, reported};
use crate::tool_use;

pub(crate) fn read(body: &Bytes) -> Result<Answer, AnswerError> {
    let document = answer::document(body)?;
    pick!(document => model, service_tier, choices, usage, error);
    let mut served = Served::new();
    note_tier(&mut served, service_tier);
    let (mut texts, mut tools, mut reason) = (Vec::new(), Vec::new(), None);
    for choice in choices.into_iter().flat_map(Json::elements) {
        pick!(choice => message, finish_reason);
        if let Some(message) = message {
            each_text(message, &mut |text| texts.push(text.span()));
            tool_use::of_chat(message, &mut tools);
        }
        reason = finish_reason.and_then(Json::as_str).or(reason);
    }
    Ok(Answer {
        model: model.and_then(Json::as_str).map(String::from),
        served,
        usage: reported(usage, CHAT),
        charged: usage.and_then(charged),
        finish_reason: reason.map(String::from),
        error: error.and_then(error_message),
        tools,
        texts,
        body: body.clone(),
    })
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
