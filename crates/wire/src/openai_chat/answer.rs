//! Reading an answer that came in one piece.

use bytes::Bytes;
use farthing_core::pricing::Served;

use super::message::each_text;
use super::note_tier;
use super::usage::reported;
use crate::answer::{Answer, AnswerError, quoted};
use crate::json::{Json, Kind, pick};

pub(crate) fn read(body: &Bytes) -> Result<Answer, AnswerError> {
    let document = Json::parse(body).map_err(|error| AnswerError::new(body, error.to_string()))?;
    if document.kind() != Kind::Object {
        return Err(AnswerError::new(body, format!("it is {document}")));
    }
    pick!(document => model, service_tier, choices, usage, error);
    let mut served = Served::new();
    note_tier(&mut served, service_tier);
    let (mut texts, mut reason) = (Vec::new(), None);
    for choice in choices.into_iter().flat_map(Json::elements) {
        pick!(choice => message, finish_reason);
        if let Some(message) = message {
            each_text(message, &mut |text| texts.push(text.span()));
        }
        reason = finish_reason.and_then(Json::as_str).or(reason);
    }
    Ok(Answer {
        model: model.and_then(Json::as_str).map(String::from),
        served,
        usage: reported(usage),
        finish_reason: reason.map(String::from),
        error: error.and_then(error_message),
        texts,
        body: body.clone(),
    })
}

/// What the `error` member of an answer or of a chunk says.
pub(super) fn error_message(error: Json) -> Option<String> {
    pick!(error => message);
    let said = message.and_then(Json::as_str).or_else(|| error.as_str());
    (!error.is_null()).then(|| quoted(&said.unwrap_or(error.text().into())))
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
