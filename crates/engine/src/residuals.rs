//! What the bills of providers teach about our own counts.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use farthing_core::anatomy::Anatomy;
use farthing_core::entry::Bill;
use farthing_tokens::{Api, Residuals};
use farthing_wire::Dialect;

use crate::call::Ask;
use crate::engine::Engine;
use crate::metrics::model_of;

/// How far the newest counts of a model may be off, in thousandths, before it is said aloud.
const DRIFT: u64 = 100;
/// Times its count that a prompt may be at most for its bill to tell anything.
const OPEN_TIMES: u64 = 4;
/// Tokens on top of these.
const OPEN_TOKENS: u64 = 10_000;

/// How far counts were off, by model, and which models' are off by too much.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    residuals: Residuals,
    adrift: BTreeSet<String>,
}

// === impl Watch ===

impl Watch {
    /// Notes what was counted for a call and what was reported; says how far the newest counts of the
    /// model are off, in thousandths, once there are enough. That they begin to drift is logged once.
    ///
    /// A prompt whose bound is far above its count says nothing: what the provider's own tools bring
    /// in, or what only the provider has, nobody can count.
    fn note(&self, model: &str, counted: &Anatomy, reported: u64) -> Option<u64> {
        if !is_telling(counted) {
            return None;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { residuals, adrift } = &mut *state;
        residuals.observe(model, counted.by_kind.total(), reported);
        let spread = residuals.of(model)?;
        if !spread.drifts(DRIFT) {
            adrift.remove(model);
        } else if adrift.insert(model.to_owned()) {
            let (off, bias) = (spread.recent.unwrap_or_default(), spread.bias);
            tracing::warn!(
                model,
                off_thousandths = off,
                bias_thousandths = bias,
                "token counts drift from what the provider reports; its tokenizer may have changed"
            );
        }
        spread.recent
    }
}

/// Compares our own count with what the provider reported.
pub(crate) fn learn(engine: &Engine, ask: &Ask, counted: &Anatomy, bill: &Bill) {
    let reported = bill.usage.prompt();
    if reported == 0 || !is_telling(counted) {
        return;
    }
    engine.parts.counter.observe(ask.request.model.as_str(), counted, reported);
    let model = model_of(bill);
    let drift = engine.residuals.note(model, counted, reported);
    engine.metrics.counted(model, counted.by_kind.total(), reported, drift);
}

/// Whether a bill can tell anything of this count.
fn is_telling(counted: &Anatomy) -> bool {
    let most = counted.by_kind.total().saturating_mul(OPEN_TIMES).saturating_add(OPEN_TOKENS);
    counted.upper_bound <= most
}

/// The API that a model is asked through, where that changes what it reads.
pub(crate) fn api(ask: &Ask) -> Option<Api> {
    match ask.request.dialect {
        Dialect::OpenAiResponses => Some(Api::Responses),
        Dialect::Gemini => {
            let address = &ask.route.at(0).base_url;
            address.contains("aiplatform.googleapis.com").then_some(Api::Vertex)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use farthing_core::anatomy::{ByKind, Method};

    use super::*;

    fn counted(user: u64, upper_bound: u64) -> Anatomy {
        let by_kind = ByKind { user, ..ByKind::default() };
        Anatomy { by_kind, method: Method::Estimated, upper_bound }
    }

    #[test]
    fn a_changed_tokenizer_is_told_by_its_newest_calls() {
        let watch = Watch::default();
        for _ in 0..40 {
            watch.note("m", &counted(1_000, 1_200), 1_002);
        }
        assert_eq!(watch.note("m", &counted(1_000, 1_200), 1_002), Some(1));
        for _ in 0..32 {
            watch.note("m", &counted(1_000, 1_200), 1_300);
        }
        assert!(watch.state.lock().unwrap().adrift.contains("m"));
        assert_eq!(watch.note("n", &counted(1_000, 1_200), 1_000), None);
    }

    #[test]
    fn what_no_request_shows_tells_nothing() {
        let watch = Watch::default();
        for _ in 0..40 {
            assert_eq!(watch.note("m", &counted(1_000, 500_000), 90_000), None);
        }
    }
}
