//! The models that took part in a call beside the one that answered, as SQLite keeps them.

use farthing_core::entry::Part;
use farthing_core::pricing::FoundBy;
use farthing_core::usage::Usage;
use serde::{Deserialize, Serialize};

use crate::record::CardRef;

#[derive(Serialize, Deserialize)]
pub(super) struct KeptPart {
    model: String,
    usage: Usage,
    card: Option<String>,
    rule: Option<FoundBy>,
}

// === impl KeptPart ===

impl KeptPart {
    pub(super) fn of(part: &Part) -> KeptPart {
        let priced_by = part.priced_by.as_ref();
        KeptPart {
            model: part.model.clone(),
            usage: part.usage,
            card: priced_by.map(|by| by.card.hash().to_string()),
            rule: priced_by.map(|by| by.rule),
        }
    }

    /// The part, and the name of its rate card.
    pub(super) fn split(self) -> (Part, Option<CardRef>) {
        let card = self.card.zip(self.rule).map(|(hash, rule)| CardRef { hash, rule });
        (Part { model: self.model, usage: self.usage, priced_by: None }, card)
    }
}
