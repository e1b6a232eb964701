//! Reading an answer that came in one piece.

use bytes::Bytes;
use farthing_core::pricing::Served;

use super::content::each_text;
use super::note_tier;
use super::usage::reported;
use crate::answer::{self, Answer, AnswerError, error_message};
use crate::json::Json;

/// Reads an answer, or the count of a prompt's tokens, which consumes nothing.
pub(crate) fn read(body: &Bytes) -> Result<Answer, AnswerError> {
    let document = answer::document(body)?;
    let [model, candidates, metadata, feedback, error] =
        document.pick(["modelVersion", "candidates", "usageMetadata", "promptFeedback", "error"]);
    let mut served = Served::new();
    note_served(&mut served, metadata);
    let (mut texts, mut reason) = (Vec::new(), None);
    for candidate in candidates.into_iter().flat_map(Json::elements) {
        each_text(candidate, &mut |text| texts.push(text.span()));
        reason = finish_reason(candidate).or(reason);
    }
    let blocked = feedback.and_then(|feedback| feedback.pick(["blockReason"])[0]);
    Ok(Answer {
        model: model.and_then(Json::as_str).map(String::from),
        served,
        usage: reported(metadata, true),
        charged: None,
        finish_reason: reason.or(blocked.and_then(Json::as_str).map(String::from)),
        error: error.and_then(error_message),
        texts,
        body: body.clone(),
    })
}

/// Notes how `usageMetadata` says that a request was served.
pub(super) fn note_served(served: &mut Served, metadata: Option<Json>) {
    let Some(metadata) = metadata else { return };
    let [tier, traffic] = metadata.pick(["serviceTier", "trafficType"]);
    note_tier(served, tier.or(traffic));
}

/// Why a candidate ended.
pub(super) fn finish_reason(candidate: Json) -> Option<String> {
    candidate.pick(["finishReason"])[0].and_then(Json::as_str).map(String::from)
}
