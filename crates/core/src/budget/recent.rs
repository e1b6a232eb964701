//! What was done lately, so that it is not done twice.

use std::collections::{HashSet, VecDeque};

use crate::entry::AttemptId;
use crate::id::CauseId;

/// How much is remembered, in about six megabytes. What is older the store's unique names catch.
const RECENT_MAX: usize = 65_536;

/// The endings and corrections that came last.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    known: HashSet<Done>,
    /// The oldest first.
    order: VecDeque<Done>,
}

/// An attempt ended, or was corrected for a cause.
pub(super) type Done = (AttemptId, Option<CauseId>);

// === impl Recent ===

impl Recent {
    pub(super) fn has(&self, done: &Done) -> bool {
        self.known.contains(done)
    }

    pub(super) fn add(&mut self, done: Done) {
        if !self.known.insert(done.clone()) {
            return;
        }
        self.order.push_back(done);
        if self.order.len() > RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::id::RequestId;

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
        let done = |attempt| (AttemptId { request: RequestId::new(Uuid::nil()), attempt }, None);
        let mut recent = Recent::default();
        for attempt in 0..RECENT_MAX as u32 {
            recent.add(done(attempt));
        }
        recent.add(done(7));
        assert!(recent.has(&done(0)));
        recent.add(done(u32::MAX));
        assert!(!recent.has(&done(0)) && recent.has(&done(1)) && recent.has(&done(u32::MAX)));
        assert_eq!((recent.known.len(), recent.order.len()), (RECENT_MAX, RECENT_MAX));
    }
}
