//! Reading a request's body.

use bytes::Bytes;
use farthing_core::id::ModelId;
use farthing_core::pricing::Served;
use farthing_core::prompt::{Demands, Prompt};

use super::content::Reader;
use super::target::{Method, Target};
use super::{note_tier, pick};
use crate::dialect::Dialect;
use crate::fields::{self, positive};
use crate::json::{Json, Kind};
use crate::request::{Labels, Request, RequestError};

/// Reads what counting, pricing and attributing need. The rest is the provider's to judge.
///
/// What is to be counted may lie in `generateContentRequest`. Where no address tells the model, the
/// body has to.
pub(crate) fn parse(body: Bytes, target: Option<Target>) -> Result<Request, RequestError> {
    let document = fields::document(&body)?;
    let [wrapped] = pick(document, ["generateContentRequest"]);
    let request = wrapped.filter(|it| it.kind() == Kind::Object).unwrap_or(document);
    let [model, system, contents, tools, tool_config, config, cached, labels, tier, stream] = pick(
        request,
        [
            "model",
            "systemInstruction",
            "contents",
            "tools",
            "toolConfig",
            "generationConfig",
            "cachedContent",
            "labels",
            "serviceTier",
            "stream",
        ],
    );
    let model = match target {
        Some(target) => ModelId::new(target.model)?,
        None => fields::model(model)?,
    };
    let stream = match target {
        Some(target) => target.method == Method::Stream,
        None => fields::flag("stream", stream)?,
    };
    let mut served_asked = Served::new();
    note_tier(&mut served_asked, tier);
    let mut reader = Reader::default();
    let messages = reader.messages(system, fields::required("contents", contents)?)?;
    let tools = reader.tools(tools)?;
    let config = Config::read(config)?;
    Ok(Request {
        dialect: Dialect::Gemini,
        model,
        stream,
        max_output: config.max_output,
        answers: config.answers,
        served_asked,
        // Writing is free; what is kept longer is paid for by the hour, apart from requests.
        cache_asked: None,
        labels: Labels { tags: fields::tags(labels), ..Labels::default() },
        usage_edit: None,
        prompt: Prompt {
            messages,
            tools,
            response_format: config.schema,
            demands: Demands {
                thinking: true,
                tool_call: tool_config.is_some_and(must_call),
                ..Demands::default()
            },
            unseen: cached.is_some_and(|cached| !cached.is_null()),
            cache_markers: Vec::new(),
            body,
        },
    })
}

/// What is read of a `generationConfig`.
struct Config {
    max_output: Option<u64>,
    answers: u64,
    schema: Option<farthing_core::prompt::Span>,
}

// === impl Config ===

impl Config {
    fn read(config: Option<Json>) -> Result<Config, RequestError> {
        let names = ["maxOutputTokens", "candidateCount", "responseJsonSchema", "responseSchema"];
        let [most, answers, schema, older] = config.map_or([None; 4], |config| pick(config, names));
        Ok(Config {
            max_output: positive("generationConfig.maxOutputTokens", most)?,
            answers: positive("generationConfig.candidateCount", answers)?.unwrap_or(1),
            schema: schema.or(older).filter(|it| it.kind() == Kind::Object).map(Json::span),
        })
    }
}

fn must_call(tool_config: Json) -> bool {
    let [config] = pick(tool_config, ["functionCallingConfig"]);
    let mode = config.and_then(|config| config.pick(["mode"])[0]);
    mode.and_then(Json::as_str).is_some_and(|mode| mode.eq_ignore_ascii_case("any"))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
