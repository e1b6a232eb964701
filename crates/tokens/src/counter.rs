//! Prompt to anatomy.

use std::sync::{Arc, PoisonError, RwLock};

use farthing_core::anatomy::{Anatomy, Method};
use farthing_core::prompt::Prompt;
use farthing_tokenizer::encoding;

use crate::calibration::{Calibration, Correction};
use crate::family::{Content, Family};
use crate::memo::Memo;
use crate::rules::{Rules, RulesError, bare};
use crate::tally::{Piece, Sure, Tally};
use crate::target::Target;

/// The length of `ft:`, which says nothing of who serves a model.
const FINE_TUNED: usize = 3;

/// Counts the tokens of prompts and replies. A clone shares its rules, what it remembers and what
/// it learned.
#[derive(Clone, Debug)]
pub struct Counter {
    rules: Arc<Rules>,
    memo: Option<Arc<Memo<Piece>>>,
    calibration: Option<Arc<RwLock<Calibration>>>,
}

// === impl Counter ===

impl Counter {
    /// A counter by these rules.
    pub fn new(rules: Rules) -> Self {
        Self { rules: Arc::new(rules), memo: None, calibration: None }
    }

    /// A counter by the rules that come with this crate.
    ///
    /// # Errors
    /// As of [`Rules::embedded`].
    pub fn embedded() -> Result<Self, RulesError> {
        Rules::embedded().map(Self::new)
    }

    /// One that remembers what it counted, at most so many messages (some 100 bytes each), so that
    /// a history which comes again costs a hash of its bytes. The key has to be random, so that
    /// nobody who sends prompts can find two that are taken for each other.
    #[must_use]
    pub fn with_memo(self, key: [u64; 4], messages: usize) -> Self {
        Self { memo: Some(Arc::new(Memo::new(key, messages))), ..self }
    }

    /// One that corrects its estimates by what it [observes](Counter::observe), and what was
    /// observed before.
    #[must_use]
    pub fn with_calibration(self, calibration: Calibration) -> Self {
        Self { calibration: Some(Arc::new(RwLock::new(calibration))), ..self }
    }

    /// Learns from a settled call: what was counted for it, and what the provider reported. Counts
    /// by a vocabulary that is known are left as they are.
    pub fn observe(&self, model: &str, counted: &Anatomy, reported: u64) {
        let Some(calibration) = &self.calibration else { return };
        if counted.method == Method::Exact || self.vocabulary_is_known(model) {
            return;
        }
        let predicted = counted.by_kind.total();
        let mut calibration = calibration.write().unwrap_or_else(PoisonError::into_inner);
        // It was corrected by what was known then, which is about what is known now.
        let uncorrected = match calibration.correction(model) {
            Some(correction) => correction.undo(predicted),
            None => predicted,
        };
        calibration.observe(model, uncorrected, reported);
    }

    /// What is known of how far estimates for a model are off.
    pub fn correction(&self, model: &str) -> Option<Correction> {
        let calibration = self.calibration.as_ref()?;
        calibration.read().unwrap_or_else(PoisonError::into_inner).correction(model)
    }

    /// The tokens that a model will read in `prompt`, by kind.
    ///
    /// Exact for text and plain functions of families whose rules are proven. A bound on an estimate
    /// takes tool definitions as the JSON they came in where that is longer, media and what the
    /// provider's own tools bring in at the most that is known of them, a token more for each
    /// character beyond ASCII where the vocabulary is not at hand, and the family's margin on top.
    pub fn count<'t>(&self, target: impl Into<Target<'t>>, prompt: &Prompt) -> Anatomy {
        let target = target.into();
        let (family, is_known) = self.family(target);
        let anatomy = self.tally(target, prompt).anatomy();
        match self.correction_of(target, family, is_known) {
            Some(correction) => correct(anatomy, correction),
            None => anatomy,
        }
    }

    /// Whether all that a model will read in `prompt` stands there. Where a provider's tools bring in
    /// what they find, or the request only names a file, an image or an earlier response, no count of
    /// it can be near.
    pub fn shows_all<'t>(&self, target: impl Into<Target<'t>>, prompt: &Prompt) -> bool {
        self.tally(target.into(), prompt).shows_all()
    }

    fn tally<'a>(&'a self, target: Target, prompt: &'a Prompt) -> Tally<'a> {
        let (family, is_known) = self.family(target);
        let is_direct = bare(target.model).len() + FINE_TUNED >= target.model.len();
        let sure = match (is_known, is_direct) {
            (false, _) => Sure::Unknown,
            (true, true) => Sure::Direct,
            (true, false) => Sure::Routed,
        };
        let mut tally = Tally::new(family, prompt, sure, self.memo.as_deref());
        tally.add_all();
        tally
    }

    /// The tokens of a text by itself, such as a reply's; exact where the model's vocabulary is
    /// known. What a model writes unseen (its reasoning) is not in the text.
    pub fn count_text<'t>(&self, target: impl Into<Target<'t>>, text: &str) -> (u64, Method) {
        let target = target.into();
        let (family, is_known) = self.family(target);
        let count = encoding(family.encoding).count(text);
        let count = match family.scale {
            None if is_known => return (count, Method::Exact),
            None => count,
            Some(scale) => scale.apply(count, Content::Text),
        };
        let correction = self.correction_of(target, family, is_known);
        let count = correction.map_or(count, |correction| correction.apply(count));
        (count, Method::Estimated)
    }

    fn family(&self, target: Target) -> (&Family, bool) {
        match self.rules.family(target) {
            Some(family) => (family, true),
            None => (self.rules.fallback(target), false),
        }
    }

    fn vocabulary_is_known(&self, model: &str) -> bool {
        let (family, is_known) = self.family(model.into());
        is_known && family.scale.is_none()
    }

    fn correction_of(&self, target: Target, family: &Family, is_known: bool) -> Option<Correction> {
        let is_estimate = !is_known || family.scale.is_some();
        self.calibration.as_ref().filter(|_| is_estimate)?;
        self.correction(target.model)
    }
}

/// An estimate with its correction; the bound is never lowered by one.
fn correct(anatomy: Anatomy, correction: Correction) -> Anatomy {
    let mut by_kind = anatomy.by_kind;
    for kind in [
        &mut by_kind.system,
        &mut by_kind.tools,
        &mut by_kind.history,
        &mut by_kind.tool_results,
        &mut by_kind.user,
        &mut by_kind.media,
        &mut by_kind.overhead,
    ] {
        *kind = correction.apply(*kind);
    }
    let raised = correction.apply(anatomy.upper_bound).max(by_kind.total());
    Anatomy { by_kind, method: anatomy.method, upper_bound: anatomy.upper_bound.max(raised) }
}

#[cfg(test)]
mod tests;
