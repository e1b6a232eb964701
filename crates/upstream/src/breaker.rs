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

    /// Whether a call may go now. A call that may must report its outcome.
    ///
    /// # Errors
    /// When the next may go.
    pub fn admit(&self, at: Timestamp) -> Result<(), Timestamp> {
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => Ok(()),
            State::Open { until, .. } | State::Probing { until, .. } if at < until => Err(until),
            State::Open { since, .. } | State::Probing { since, .. } => {
                *state = State::Probing { since, until: self.rested(at) };
                Ok(())
            }
        }
    }

    /// The provider did its work, if only to say no.
    pub fn succeeded(&self) {
        *self.lock() = State::Closed { faults: 0 };
    }

    /// The provider failed: no connection, no answer in time, or a 5xx.
    pub fn failed(&self, at: Timestamp) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn breaker() -> Breaker {
        Breaker::new(BreakerLimits { faults: 3, rest: Duration::from_secs(10) })
    }

    #[test]
    fn it_opens_after_so_many_faults_in_a_row() {
        let breaker = breaker();
        breaker.failed(at(0));
        breaker.failed(at(0));
        breaker.succeeded();
        breaker.failed(at(1));
        breaker.failed(at(2));
        assert_eq!(breaker.admit(at(2)), Ok(()));
        breaker.failed(at(3));
        assert_eq!(breaker.admit(at(4)), Err(at(13)));
    }

    #[test]
    fn one_probe_decides_whether_it_closes() {
        let breaker = breaker();
        (0..3).for_each(|second| breaker.failed(at(second)));
        assert_eq!(breaker.admit(at(12)), Ok(()));
        assert_eq!(breaker.admit(at(12)), Err(at(22)));
        breaker.failed(at(13));
        assert_eq!(breaker.state(), State::Open { since: at(2), until: at(23) });
        assert_eq!(breaker.admit(at(23)), Ok(()));
        breaker.succeeded();
        assert_eq!(breaker.admit(at(23)), Ok(()));
        assert_eq!(breaker.state(), State::Closed { faults: 0 });
    }

    #[test]
    fn a_probe_that_never_comes_back_makes_room_for_the_next() {
        let breaker = breaker();
        (0..3).for_each(|second| breaker.failed(at(second)));
        assert_eq!(breaker.admit(at(12)), Ok(()));
        assert_eq!(breaker.admit(at(22)), Ok(()));
    }
}
