//! What of a request stands in its address.

/// A model and what is asked of it, as in `/v1beta/models/gemini-3-pro:generateContent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The model, without the path before it.
    pub model: &'a str,
    /// What is asked.
    pub method: Method,
}

/// What is asked of a model of Gemini's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `generateContent`: an answer in one piece.
    Generate,
    /// `streamGenerateContent`: a stream, of events with `?alt=sse`, else a JSON array.
    Stream,
    /// `countTokens`: the tokens of the prompt, free of charge.
    CountTokens,
}

// === impl Target ===

impl<'a> Target<'a> {
    /// The target of an address, whatever comes before the model; `None` where it has none.
    pub fn of(path: &'a str) -> Option<Target<'a>> {
        let path = path.split('?').next().unwrap_or_default();
        let last = path.rsplit('/').next().unwrap_or_default();
        let (model, method) = last.rsplit_once(':')?;
        let method = match method {
            "generateContent" => Method::Generate,
            "streamGenerateContent" => Method::Stream,
            "countTokens" => Method::CountTokens,
            _ => return None,
        };
        (!model.is_empty()).then_some(Target { model, method })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_an_address_is_model_and_method() {
        for (path, found) in [
            (
                "/v1beta/models/gemini-3-pro:generateContent",
                Some(("gemini-3-pro", Method::Generate)),
            ),
            ("gemini-3-pro:streamGenerateContent?alt=sse", Some(("gemini-3-pro", Method::Stream))),
            (
                "/v1/projects/p/locations/global/publishers/google/models/m:countTokens",
                Some(("m", Method::CountTokens)),
            ),
            ("/models/m@001:x:generateContent", Some(("m@001:x", Method::Generate))),
            ("/v1beta/models/m", None),
            ("/v1beta/models/m:embedContent", None),
            ("/v1beta/models/:generateContent", None),
            ("", None),
        ] {
            assert_eq!(Target::of(path).map(|it| (it.model, it.method)), found, "{path}");
        }
    }
}
