//! Reading an answer that came in one piece.

use bytes::Bytes;
use farthing_core::pricing::Served;

use super::message::each_text;
use super::note_served;
use super::usage::reported;
use crate::answer::{self, Answer, AnswerError, error_message};
use crate::json::{Json, pick};
use crate::tool_use;

pub(crate) fn read(body: &Bytes) -> Result<Answer, AnswerError> {
    let document = answer::document(body)?;
    pick!(document => model, content, stop_reason, usage, error);
    let model = model.and_then(Json::as_str).map(String::from);
    let mut served = Served::new();
    if let Some(usage) = usage {
        note_served(&mut served, usage);
    }
    let (mut texts, mut tools) = (Vec::new(), Vec::new());
    for block in content.into_iter().flat_map(Json::elements) {
        each_text(block, &mut |text| texts.push(text.span()));
        tool_use::of_anthropic(block, &mut tools);
    }
    Ok(Answer {
        served,
        usage: reported(usage, model.as_deref()),
        model,
        charged: None,
        finish_reason: stop_reason.and_then(Json::as_str).map(String::from),
        error: error.and_then(error_message),
        tools,
        texts,
        body: body.clone(),
    })
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
