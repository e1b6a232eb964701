//! Usage as logs keep it: an answer, its usage alone, or all that came of a stream.

use bytes::Bytes;
use farthing_core::Usd;
use farthing_core::pricing::{Dimension, Served};

use crate::answer::{AnswerError, Reported};
use crate::flavor::Flavor;
use crate::json::{Json, Kind, pick};
use crate::stream::StreamReader;

/// What a payload says.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The model that answered, as the provider names it.
    pub model: Option<String>,
    /// How the request was served: as the payload says, and else as was known before.
    pub served: Served,
    /// What it consumed.
    pub usage: Reported,
    /// What the provider says that it charged.
    pub charged: Option<Usd>,
}

/// Where it is told how a request was served, and of what.
const TOLD: [(&str, Dimension); 5] = [
    ("service_tier", Dimension::ServiceTier),
    ("serviceTier", Dimension::ServiceTier),
    ("trafficType", Dimension::ServiceTier),
    ("speed", Dimension::Speed),
    ("inference_geo", Dimension::Geo),
];

/// How deep it may lie.
const LEVELS: u8 = 2;

/// Members that hold what tells it.
const HOLDERS: [&str; 5] = ["response", "message", "metadata", "usage", "usageMetadata"];

// === impl Flavor ===

impl Flavor {
    /// Reads a payload of a request of which it is `known` how it was served. What the payload says
    /// of that counts, also where it says that it was nothing special.
    ///
    /// A stream is a list of its events, as it is or as the member `events`, or the text that came.
    ///
    /// # Errors
    /// [`AnswerError`] where it is nothing of the kind.
    pub fn read_payload(self, payload: &str, known: &Served) -> Result<Payload, AnswerError> {
        let wrong = |problem: String| AnswerError::new(payload.as_bytes(), problem);
        let document = Json::parse(payload.as_bytes()).map_err(|error| wrong(error.to_string()))?;
        pick!(document => events, response);
        let events = events.unwrap_or(document);
        if matches!(events.kind(), Kind::Array | Kind::String) {
            let reader = self.stream_reader();
            let reader = reader.ok_or_else(|| wrong("this API has no streams".to_owned()))?;
            return Ok(read_stream(reader, events, known));
        }
        let wrapped = format!("{{\"{}\":{payload}}}", self.usage_member());
        let mut served = known.clone();
        forget_told(&mut served, document, LEVELS);
        let mut said = None;
        for body in [Some(payload), response.map(Json::text), Some(&wrapped)].into_iter().flatten()
        {
            let answer = self.read_answer(&Bytes::copy_from_slice(body.as_bytes()))?;
            let is_told = answer.usage != Reported::Absent;
            said = Some(answer);
            if is_told {
                break;
            }
        }
        let answer = said.ok_or_else(|| wrong("it says nothing".to_owned()))?;
        served.extend(answer.served);
        Ok(Payload { model: answer.model, served, usage: answer.usage, charged: answer.charged })
    }
}

/// Reads the events of a list, or the text of a stream.
fn read_stream(mut reader: StreamReader, events: Json, known: &Served) -> Payload {
    let mut served = known.clone();
    if let Some(text) = events.as_str() {
        reader.push(Bytes::copy_from_slice(text.as_bytes()), &mut |_| {});
    }
    for event in events.elements() {
        // Some keep the name of an event beside what it says.
        pick!(event => data);
        let event = data.filter(|data| data.kind() == Kind::Object).unwrap_or(event);
        forget_told(&mut served, event, LEVELS);
        // A line break would end the frame's line; JSON needs none.
        let data = event.text().replace(['\n', '\r'], " ");
        reader.push(format!("data: {data}\n\n").into(), &mut |_| {});
    }
    reader.finish(&mut |_| {});
    served.extend(reader.served().clone());
    Payload {
        model: reader.model().map(str::to_owned),
        served,
        usage: reader.usage().clone(),
        charged: reader.charged(),
    }
}

/// Forgets what was known of how a request was served, as far as an answer tells it.
fn forget_told(served: &mut Served, answer: Json, levels: u8) {
    for (name, what) in TOLD {
        if answer.pick([name])[0].is_some_and(|told| told.kind() == Kind::String) {
            served.remove(&what);
        }
    }
    let Some(below) = levels.checked_sub(1) else { return };
    for holder in answer.pick(HOLDERS).into_iter().flatten() {
        forget_told(served, holder, below);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    const CHAT: Flavor = Flavor::Spoken(Dialect::OpenAiChat);
    const USAGE: &str = r#"{"prompt_tokens":9,"completion_tokens":6}"#;

    fn flex() -> Served {
        Served::from([(Dimension::ServiceTier, "flex".to_owned())])
    }

    #[test]
    fn an_answer_its_usage_and_its_stream_say_the_same() {
        let events = format!(r#"{{"model":"m","choices":[],"usage":{USAGE}}}"#);
        let text = format!("data: {events}\n\ndata: [DONE]\n\n");
        for payload in [
            format!(r#"{{"model":"m","usage":{USAGE}}}"#),
            USAGE.to_owned(),
            format!(r#"{{"response":{{"model":"m","usage":{USAGE}}}}}"#),
            format!(r#"{{"events":[{events}]}}"#),
            format!(r#"[{{"event":"x","data":{events}}}]"#),
            serde_json::to_string(&text).unwrap(),
        ] {
            let read = CHAT.read_payload(&payload, &Served::new()).unwrap();
            assert!(
                matches!(read.usage, Reported::Valid(usage) if usage.prompt() == 9),
                "{payload}"
            );
        }
        assert!(CHAT.read_payload("{", &Served::new()).is_err());
        assert!(CHAT.read_payload("7", &Served::new()).is_err());
    }

    #[test]
    fn the_tier_that_served_beats_the_one_that_was_known() {
        let read = |flavor: Flavor, payload: &str| {
            let served = flavor.read_payload(payload, &flex()).unwrap().served;
            served.get(&Dimension::ServiceTier).cloned()
        };
        let chat =
            |tier: &str| read(CHAT, &format!(r#"{{"service_tier":{tier},"usage":{USAGE}}}"#));
        assert_eq!(chat("null").as_deref(), Some("flex"));
        assert_eq!(chat("\"default\""), None);
        assert_eq!(chat("\"priority\"").as_deref(), Some("priority"));
        let gemini = Flavor::Spoken(Dialect::Gemini);
        assert_eq!(read(gemini, r#"{"usageMetadata":{"trafficType":"ON_DEMAND"}}"#), None);
        let anthropic = Flavor::Spoken(Dialect::Anthropic);
        let start = r#"[{"type":"message_start","message":{"usage":{"service_tier":"standard"}}}]"#;
        assert_eq!(read(anthropic, start), None);
    }
}
