//! A circuit breaker: leaves a provider alone that has failed again and again.
//!
//! It opens on the provider's faults only; a client's mistakes say nothing about a provider. While
//! it is open nothing is sent. Then one call is let through as a probe, and its outcome decides.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerLimits {
    /// Faults in a row that open it.
    pub faults: u32,
    /// How long it stays open before a probe.
    pub rest: Duration,
}

/// The breaker of one deployment.
#[derive(Debug)]
pub struct Breaker {
    limits: BreakerLimits,
    state: Mutex<State>,
}

/// A call that a breaker let through. One that is dropped without an outcome says nothing about the
/// provider; if it was the probe, the next call is.
#[derive(Debug)]
#[must_use = "a breaker learns only from the outcomes that it is told"]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    probes: bool,
}

/// How a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Calls pass. So many faults came in a row.
    Closed {
        /// Faults since the last success.
        faults: u32,
    },
    /// No call passes before `until`.
    Open {
        /// When it opened.
        since: Timestamp,
        /// When the next probe may go.
        until: Timestamp,
    },
    /// A probe is under way; no other call passes. Should it never come back, the next may go at
    /// `until`.
    Probing {
        /// When it opened.
        since: Timestamp,
        /// When a probe that never came back is given up.
        until: Timestamp,
    },
}

// === impl Breaker ===

impl Breaker {
    /// A closed breaker.
    pub fn new(limits: BreakerLimits) -> Breaker {
        Breaker { limits, state: Mutex::new(State::Closed { faults: 0 }) }
    }

    /// Whether a call may go now; it reports its outcome to the permit.
    ///
    /// # Errors
    /// When the next may go.
    pub fn admit(&self, at: Timestamp) -> Result<Permit<'_>, Timestamp> {
        let mut state = self.lock();
        let probes = match *state {
            State::Closed { .. } => false,
            State::Open { until, .. } | State::Probing { until, .. } if at < until => {
                return Err(until);
            }
            State::Open { since, .. } | State::Probing { since, .. } => {
                *state = State::Probing { since, until: self.rested(at) };
                true
            }
        };
        Ok(Permit { breaker: self, probes })
    }

    fn succeeded(&self) {
        *self.lock() = State::Closed { faults: 0 };
    }

    fn failed(&self, at: Timestamp) {
        let mut state = self.lock();
        *state = match *state {
            State::Closed { faults } if faults.saturating_add(1) < self.limits.faults => {
                State::Closed { faults: faults.saturating_add(1) }
            }
            State::Closed { .. } => State::Open { since: at, until: self.rested(at) },
            State::Open { since, .. } | State::Probing { since, .. } => {
                State::Open { since, until: self.rested(at) }
            }
        };
    }

    /// How it stands.
    pub fn state(&self) -> State {
        *self.lock()
    }

    fn rested(&self, at: Timestamp) -> Timestamp {
        at.saturating_add(self.limits.rest).unwrap_or(Timestamp::MAX)
    }

    /// A state is replaced as a whole, so a panic elsewhere leaves a whole one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Permit ===

impl Permit<'_> {
    /// The provider did its work, if only to say no.
    pub fn succeeded(mut self) {
        self.probes = false;
        self.breaker.succeeded();
    }

    /// The provider failed: no connection, no whole answer in time, or a 5xx.
    pub fn failed(mut self, at: Timestamp) {
        self.probes = false;
        self.breaker.failed(at);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.breaker.lock();
        if let (true, State::Probing { since, .. }) = (self.probes, *state) {
            *state = State::Open { since, until: since };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn breaker() -> Breaker {
        Breaker::new(BreakerLimits { faults: 3, rest: Duration::from_secs(10) })
    }

    fn fail(breaker: &Breaker, second: i64) {
        breaker.admit(at(second)).unwrap().failed(at(second));
    }

    #[test]
    fn it_opens_after_so_many_faults_in_a_row() {
        let breaker = breaker();
        fail(&breaker, 0);
        fail(&breaker, 0);
        breaker.admit(at(0)).unwrap().succeeded();
        fail(&breaker, 1);
        fail(&breaker, 2);
        fail(&breaker, 3);
        assert_eq!(breaker.admit(at(4)).err(), Some(at(13)));
    }

    #[test]
    fn one_probe_decides_whether_it_closes() {
        let breaker = breaker();
        (0..3).for_each(|second| fail(&breaker, second));
        let probe = breaker.admit(at(12)).unwrap();
        assert_eq!(breaker.admit(at(12)).err(), Some(at(22)));
        probe.failed(at(13));
        assert_eq!(breaker.state(), State::Open { since: at(2), until: at(23) });
        breaker.admit(at(23)).unwrap().succeeded();
        assert_eq!(breaker.state(), State::Closed { faults: 0 });
    }

    #[test]
    fn a_probe_without_an_outcome_makes_room_for_the_next() {
        let breaker = breaker();
        (0..3).for_each(|second| fail(&breaker, second));
        drop(breaker.admit(at(12)).unwrap());
        assert!(breaker.admit(at(12)).is_ok());
    }

    #[test]
    fn a_call_that_is_no_probe_says_nothing_when_it_is_dropped() {
        let breaker = breaker();
        let early = breaker.admit(at(0)).unwrap();
        (0..3).for_each(|second| fail(&breaker, second));
        drop(early);
        assert_eq!(breaker.admit(at(4)).err(), Some(at(12)));
    }
}
