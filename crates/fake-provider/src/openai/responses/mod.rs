//! OpenAI's responses API, <https://platform.openai.com/docs/api-reference/responses>. Nothing is
//! stored, so a request cannot continue an earlier response by its id; the tools that OpenAI runs
//! itself are not run.

mod events;
mod object;
mod request;

pub(crate) use self::events::error_event;
use self::{object::Head, request::ResponsesRequest};
use super::{answers, error::ApiError, models, prompt, read};
use crate::{
    reply::Reply,
    server::{Received, Server},
};

/// Answers `POST /v1/responses`.
pub(super) fn answer(server: &Server, received: &Received) -> Result<Reply, ApiError> {
    let ResponsesRequest { chat, custom } = ResponsesRequest::parse(&received.body)?;
    let model = models::snapshot(&chat.model);
    let prompt = prompt::render(&chat);
    let usage = read(server, model, &prompt);
    let answers = answers(server, &chat, &prompt);
    let head = Head { number: received.number, model, custom: &custom };
    let fault = received.usage_fault();
    let replies = answers.first().map(|answer| {
        if chat.streamed {
            events::stream(&head, answer, usage, fault)
        } else {
            object::whole(&head, answer, usage, fault)
        }
    });
    Ok(replies.unwrap_or(Reply::Close))
}
