//! Receipts, added up.

use std::collections::BTreeMap;

use farthing_core::Usd;
use farthing_core::money::Overflow;
use farthing_core::scope::Scope;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::arms::{Arms, Comparison};
use super::{Pass, Saving};
use crate::store::{Reader, StoreError};

/// By what savings can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavingsBy {
    /// Who acted.
    User,
    /// The program that acted.
    Agent,
    /// The conversation, by its name.
    Thread,
    /// What made the difference.
    Pass,
}

/// What optimizing came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Savings {
    /// Sums by group, in order of their names.
    pub data: Vec<SavingsRow>,
    /// All of it.
    pub total: SavingsRow,
    /// Conversations that were optimized beside those that were held out; `None` without both.
    pub holdout: Option<Comparison>,
}

/// What optimizing came to in one group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SavingsRow {
    /// The group's name; `None` for all, and for calls without such a name.
    pub group: Option<String>,
    /// Calls, or with passes, edits.
    pub count: u64,
    /// Tokens of prompts that were not sent.
    pub tokens_saved: u64,
    /// What was paid. Of a pass nobody can say.
    pub paid_usd: Option<Usd>,
    /// What would have been paid.
    pub would_have_paid_usd: Option<Usd>,
    /// The difference; negative is a loss.
    pub net_usd: Usd,
    /// Calls of which nobody knows what they saved. They are in no sum of dollars.
    pub unknown: u64,
}

/// What optimizing came to in calls that ended at `since` or later and before `until`, as far as
/// their receipts are still kept. Calls that were held out, or only looked at, are in no sum.
///
/// # Errors
/// [`StoreError`] where the store cannot be read.
pub fn savings(
    reader: &mut dyn Reader,
    scope: &Scope,
    since: Timestamp,
    until: Timestamp,
    by: Option<SavingsBy>,
) -> Result<Savings, StoreError> {
    let mut groups = BTreeMap::<Option<String>, SavingsRow>::new();
    let (mut total, mut arms) = (SavingsRow::default(), Arms::default());
    reader.receipts(scope, since, until, &mut |saving| {
        arms.add(&saving);
        if saving.held_out {
            return Ok(());
        }
        total.add(&saving)?;
        match by {
            None => {}
            Some(SavingsBy::Pass) => {
                for (name, pass) in &saving.passes {
                    groups.entry(Some(name.clone())).or_default().add_pass(pass)?;
                }
            }
            Some(by) => groups.entry(by.name_in(&saving)).or_default().add(&saving)?,
        }
        Ok(())
    })?;
    let named = |(group, row)| SavingsRow { group, ..row };
    Ok(Savings { data: groups.into_iter().map(named).collect(), total, holdout: arms.compared() })
}

// === impl SavingsBy ===

impl SavingsBy {
    fn name_in(self, saving: &Saving) -> Option<String> {
        let who = &saving.who;
        match self {
            SavingsBy::User => Some(who.user.to_string()),
            SavingsBy::Agent => who.agent.as_ref().map(ToString::to_string),
            SavingsBy::Thread => who.thread.as_ref().map(ToString::to_string),
            SavingsBy::Pass => None,
        }
    }
}

// === impl SavingsRow ===

impl SavingsRow {
    fn add(&mut self, saving: &Saving) -> Result<(), Overflow> {
        self.count = self.count.saturating_add(1);
        self.tokens_saved = self.tokens_saved.saturating_add(saving.tokens_saved());
        let (Some(paid), Some(would), Some(net)) =
            (saving.paid, saving.would_have_paid, saving.net())
        else {
            self.unknown = self.unknown.saturating_add(1);
            return Ok(());
        };
        self.paid_usd = Some(self.paid_usd.unwrap_or_default().plus(paid)?);
        self.would_have_paid_usd = Some(self.would_have_paid_usd.unwrap_or_default().plus(would)?);
        self.net_usd = self.net_usd.plus(net)?;
        Ok(())
    }

    fn add_pass(&mut self, pass: &Pass) -> Result<(), Overflow> {
        self.count = self.count.saturating_add(pass.edits);
        self.tokens_saved = self.tokens_saved.saturating_add(pass.tokens);
        match pass.saved_usd {
            Some(usd) => self.net_usd = self.net_usd.plus(usd)?,
            None => self.unknown = self.unknown.saturating_add(1),
        }
        Ok(())
    }
}
