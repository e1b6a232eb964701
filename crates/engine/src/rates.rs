//! How fast callers may be.

use std::sync::{Arc, Mutex, PoisonError};

use farthing_core::entry::Who;
use farthing_core::id::ModelId;
use farthing_core::ratelimit::{Admission, Limited, RateLimiter, RateRule};
use jiff::Timestamp;

/// All rates.
#[derive(Clone, Debug)]
pub struct Rates(Arc<Mutex<RateLimiter>>);

/// A call's part of the rates. What it took of calls at once it gives back when it is dropped.
#[derive(Debug)]
pub(crate) struct Pace {
    rates: Rates,
    admission: Option<Admission>,
    tokens: u64,
    at: Timestamp,
}

// === impl Rates ===

impl Rates {
    /// Rates that nobody has used.
    pub fn new(rules: Vec<RateRule>) -> Rates {
        Rates(Arc::new(Mutex::new(RateLimiter::new(rules))))
    }

    /// Takes what a call needs of every rate that holds for it, or nothing.
    pub(crate) fn begin(
        &self,
        who: &Who,
        model: &ModelId,
        tokens: u64,
        at: Timestamp,
    ) -> Result<Pace, Limited> {
        let mut limiter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let admission = limiter.begin(who, model, tokens, at)?;
        Ok(Pace { rates: self.clone(), admission: Some(admission), tokens, at })
    }
}

// === impl Pace ===

impl Pace {
    /// Says how many tokens it came to, and when.
    pub(crate) fn came_to(&mut self, tokens: u64, at: Timestamp) {
        (self.tokens, self.at) = (tokens, at);
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        if let Some(admission) = self.admission.take() {
            let mut limiter = self.rates.0.lock().unwrap_or_else(PoisonError::into_inner);
            limiter.end(admission, self.tokens, self.at);
        }
    }
}
