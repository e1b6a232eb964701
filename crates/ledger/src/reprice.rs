//! Calls whose cost nobody knew when they ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use farthing_core::entry::{AttemptId, Bill, Ending, Hold, Who};
use farthing_core::pricing::CostStatus;
use jiff::Timestamp;

use crate::record::{Record, Recorded};
use crate::store::{Reader, Row, StoreError};

/// A call that was billed without a price.
#[derive(Clone, Debug)]
pub struct Unpriced {
    /// Which attempt.
    pub id: AttemptId,
    /// On whose account it was.
    pub who: Arc<Who>,
    /// Its hold.
    pub hold: Arc<Hold>,
    /// When it was held: the moment whose prices it has.
    pub held_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Its bill, as it was drawn up.
    pub bill: Arc<Bill>,
}

/// The calls that ended from `since` on and before `until` without a price, and still have none; in
/// the order in which they ended. Memory grows with their number.
///
/// # Errors
/// [`StoreError`] where the store cannot be read.
pub fn unpriced(
    reader: &mut dyn Reader,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Unpriced>, StoreError> {
    let mut open: BTreeMap<AttemptId, (Timestamp, Arc<Hold>)> = BTreeMap::new();
    let mut found: BTreeMap<AttemptId, Unpriced> = BTreeMap::new();
    reader.scan(&mut |row| {
        let Row::Entry(Record { id, at, who, what, .. }) = row else { return Ok(()) };
        match what {
            Recorded::Hold(hold) => drop(open.insert(id, (at, hold))),
            Recorded::End(ending, _) => {
                let held = open.remove(&id);
                let Ending::Settle(bill) = ending else { return Ok(()) };
                if bill.cost.status == CostStatus::Unpriced && since <= at && at < until {
                    found.extend(held.map(|(held_at, hold)| {
                        (id, Unpriced { id, who, hold, held_at, ended_at: at, bill })
                    }));
                }
            }
            Recorded::Adjust(_, adjustment, _) => {
                if adjustment.rebilled.is_some() {
                    found.remove(&id);
                }
            }
        }
        Ok(())
    })?;
    let mut found: Vec<Unpriced> = found.into_values().collect();
    found.sort_by_key(|unpriced| unpriced.ended_at);
    Ok(found)
}
