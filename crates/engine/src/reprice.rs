//! Calls that were billed without a price get the one that is known by now.

use std::collections::BTreeMap;

use farthing_core::Usd;
use farthing_core::budget::Rejection;
use farthing_core::entry::{Adjustment, AttemptId, Bill, Rebilled};
use farthing_core::id::{CauseId, ProviderId};
use farthing_core::money::Overflow;
use farthing_ledger::reprice::Unpriced;
use farthing_ledger::{AdjustError, Ledger, Unavailable};
use serde::Serialize;
use thiserror::Error;

use crate::tariff::{Priced, Tariff};

/// Corrects each attempt once, however often it is asked for.
const CAUSE: &str = "reprice";

/// Whose price list each configured provider has.
pub type PriceLists = BTreeMap<ProviderId, ProviderId>;

/// What repricing came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Repricing {
    /// Calls that have a price now.
    pub priced: u64,
    /// What they cost.
    pub cost_usd: Usd,
    /// By how much more, or less, budgets are charged for them.
    pub charged_usd: Usd,
    /// How many calls still have none, by provider and model.
    pub unpriced: BTreeMap<String, u64>,
}

/// A call and the bill that it should have had.
#[derive(Clone, Debug)]
pub struct Correction {
    unpriced: Unpriced,
    bill: Bill,
}

/// Repricing came to a stop; what was corrected before stays so.
#[derive(Debug, Error)]
pub enum RepriceError {
    /// The ledger does not take a correction.
    #[error("cannot correct {0}: {1}; run `farthing verify`")]
    Ledger(AttemptId, AdjustError),
    /// Corrections are not yet durable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The amounts are absurd.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

// === impl Repricing ===

impl Repricing {
    /// What there is to correct, and what that comes to. Nothing is changed.
    ///
    /// # Errors
    /// [`Overflow`] where the amounts are absurd.
    pub fn plan(
        tariff: &Tariff,
        lists: &PriceLists,
        unpriced: Vec<Unpriced>,
    ) -> Result<(Repricing, Vec<Correction>), Overflow> {
        let (mut sum, mut corrections) = (Repricing::default(), Vec::new());
        for unpriced in unpriced {
            let asked = &unpriced.hold.asked;
            let provider = lists.get(&asked.provider).unwrap_or(&asked.provider);
            let what = Priced {
                provider,
                model: &asked.model,
                served: &unpriced.bill.served,
                at: unpriced.held_at,
            };
            match tariff.rebill(&what, &unpriced.bill) {
                Some(bill) => {
                    let correction = Correction { unpriced, bill };
                    sum.priced = sum.priced.saturating_add(1);
                    sum.cost_usd = sum.cost_usd.plus(correction.bill.charged)?;
                    sum.charged_usd = sum.charged_usd.plus(correction.delta()?)?;
                    corrections.push(correction);
                }
                None => {
                    let name = format!("{provider} {}", unpriced.bill.model);
                    *sum.unpriced.entry(name).or_default() += 1;
                }
            }
        }
        Ok((sum, corrections))
    }
}

/// Records corrections, durably. One that was made before is passed over.
///
/// # Errors
/// [`RepriceError`].
pub async fn record(ledger: &Ledger, corrections: Vec<Correction>) -> Result<(), RepriceError> {
    for correction in corrections {
        let delta = correction.delta()?;
        let Correction { unpriced: Unpriced { id, who, hold, ended_at, .. }, bill } = correction;
        let Ok(cause) = CauseId::new(CAUSE) else { continue };
        let adjustment = Adjustment {
            cause,
            delta,
            reason: "its price is known by now".to_owned(),
            rebilled: Some(Rebilled { ended_at, bill: bill.into() }),
        };
        match ledger.adjust(id, who, hold, adjustment).await {
            Ok(()) | Err(AdjustError::Rejected(Rejection::AlreadyAdjusted(..))) => {}
            Err(error) => return Err(RepriceError::Ledger(id, error)),
        }
    }
    Ok(ledger.flush().await?)
}

// === impl Correction ===

impl Correction {
    /// What is added to what budgets were charged.
    fn delta(&self) -> Result<Usd, Overflow> {
        self.bill.charged.minus(self.unpriced.bill.charged)
    }
}
