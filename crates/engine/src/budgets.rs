//! The limits on spending: those of the configuration, and those that administrators set while the
//! gateway runs.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use farthing_core::budget::{Claim, Rule};
use farthing_core::entry::Who;
use farthing_core::id::{ModelId, TenantId};
use farthing_ledger::Ledger;
use farthing_ledger::error::Unavailable;
use farthing_ledger::item::{Change, DocumentId};
use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

/// What budgets are among the documents.
const KIND: &str = "budget";

/// The longest id of a budget.
const ID_MAX: usize = 64;

/// One limit, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Its name.
    pub id: String,
    /// The limit.
    pub rule: Rule,
    /// Whether it stands in the configuration, where it can only be changed there.
    pub configured: bool,
}

/// All limits, which may change from one call to the next.
#[derive(Debug)]
pub struct Budgets {
    ledger: Ledger,
    budgets: RwLock<Arc<Vec<Budget>>>,
    /// Models to take instead of one, the next cheaper first.
    cheaper: HashMap<ModelId, Vec<ModelId>>,
}

/// A budget cannot be changed.
#[derive(Debug, Error)]
pub enum BudgetError {
    /// There is none of this name within reach.
    #[error("there is no budget `{0}` within your reach; check the id")]
    NotThere(String),
    /// It stands in the configuration.
    #[error("budget `{0}` stands in the configuration; change it there")]
    Configured(String),
    /// A name will not do.
    #[error(
        "`{0}` is no name for a budget; take 1 to {ID_MAX} letters, digits, `-`, `_` or `.`, not \
         beginning with `config.`"
    )]
    InvalidId(String),
    /// It cannot be recorded.
    #[error("{0}")]
    Unavailable(#[from] Unavailable),
}

// === impl Budgets ===

impl Budgets {
    /// The limits of the configuration, and those that the ledger keeps. A chain of models goes from
    /// the dearest to the cheapest.
    pub fn new(ledger: Ledger, configured: Vec<Rule>, chains: Vec<Vec<ModelId>>) -> Budgets {
        let named =
            |(number, rule)| Budget { id: format!("config.{number}"), rule, configured: true };
        let mut budgets: Vec<Budget> = (1..).zip(configured).map(named).collect();
        for document in ledger.documents_at_open(KIND) {
            match serde_json::from_str::<Rule>(&document.json) {
                Ok(rule) => budgets.push(Budget { id: document.id.id, rule, configured: false }),
                Err(error) => tracing::error!(budget = document.id.id, "cannot be read: {error}"),
            }
        }
        let mut cheaper = HashMap::new();
        for chain in chains {
            for (position, model) in chain.iter().enumerate() {
                cheaper.insert(model.clone(), chain[position + 1..].to_vec());
            }
        }
        Budgets { ledger, budgets: RwLock::new(Arc::new(budgets)), cheaper }
    }

    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// What a call of this caller counts against.
    pub fn claims(&self, who: &Who, model: &ModelId, at: Timestamp) -> Vec<Claim> {
        self.all().iter().filter_map(|budget| budget.rule.claim(who, model, at)).collect()
    }

    /// Models that may be taken instead of one, the next cheaper first.
    pub fn cheaper(&self, model: &ModelId) -> &[ModelId] {
        self.cheaper.get(model).map_or(&[], Vec::as_slice)
    }

    /// The limits that hold for a tenant, in order of their ids.
    pub fn list(&self, tenant: &TenantId) -> Vec<Budget> {
        let holds = |budget: &&Budget| budget.rule.tenant.as_ref().is_none_or(|of| of == tenant);
        let mut budgets: Vec<_> = self.all().iter().filter(holds).cloned().collect();
        budgets.sort_by(|a, b| a.id.cmp(&b.id));
        budgets
    }

    /// One limit that holds for a tenant.
    pub fn get(&self, tenant: &TenantId, id: &str) -> Option<Budget> {
        self.list(tenant).into_iter().find(|budget| budget.id == id)
    }

    /// Sets a limit of one tenant's. It holds from the next call on.
    ///
    /// # Errors
    /// [`BudgetError`] where the name will not do, or it cannot be recorded.
    pub async fn set(
        &self,
        actor: &str,
        tenant: &TenantId,
        id: &str,
        rule: Rule,
    ) -> Result<(Budget, Arc<Change>), BudgetError> {
        self.changeable(id)?;
        let rule = Rule { tenant: Some(tenant.clone()), ..rule };
        let json =
            serde_json::to_string(&rule).map_err(|_| BudgetError::InvalidId(id.to_owned()))?;
        let change = |_: Option<&str>| Ok::<_, BudgetError>(Some(json));
        let change = self.ledger.change(document(tenant, id), actor.to_owned(), change).await?;
        let budget = Budget { id: id.to_owned(), rule, configured: false };
        self.replace(tenant, id, Some(budget.clone()));
        Ok((budget, change))
    }

    /// Removes a limit of one tenant's.
    ///
    /// # Errors
    /// [`BudgetError`] where there is none that can be removed, or it cannot be recorded.
    pub async fn remove(
        &self,
        actor: &str,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Arc<Change>, BudgetError> {
        self.changeable(id)?;
        let change = |before: Option<&str>| match before {
            None => Err(BudgetError::NotThere(id.to_owned())),
            Some(_) => Ok(None),
        };
        let change = self.ledger.change(document(tenant, id), actor.to_owned(), change).await?;
        self.replace(tenant, id, None);
        Ok(change)
    }

    fn changeable(&self, id: &str) -> Result<(), BudgetError> {
        if id.starts_with("config.") {
            return Err(BudgetError::Configured(id.to_owned()));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if id.is_empty() || id.len() > ID_MAX || !id.chars().all(is_plain) {
            return Err(BudgetError::InvalidId(id.chars().take(ID_MAX).collect()));
        }
        Ok(())
    }

    fn replace(&self, tenant: &TenantId, id: &str, with: Option<Budget>) {
        let mut budgets = self.budgets.write().unwrap_or_else(PoisonError::into_inner);
        let is_it =
            |budget: &Budget| budget.id == id && budget.rule.tenant.as_ref() == Some(tenant);
        let others = budgets.iter().filter(|budget| !is_it(budget)).cloned();
        *budgets = Arc::new(others.chain(with).collect());
    }

    fn all(&self) -> Arc<Vec<Budget>> {
        Arc::clone(&self.budgets.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn document(tenant: &TenantId, id: &str) -> DocumentId {
    DocumentId { tenant: tenant.clone(), kind: KIND.to_owned(), id: id.to_owned() }
}
