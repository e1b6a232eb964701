//! What a caller wants to find again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use thiserror::Error;

use crate::id::{InvalidId, LabelId};

/// Labels of one context.
const LABELS_MAX: usize = 64;
/// Bytes of a label's value.
const VALUE_MAX: usize = 1_024;

/// Labels with values, at most 64 of them. Copies share what they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Metadata(Arc<BTreeMap<LabelId, Arc<str>>>);

/// A label was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidMetadata {
    /// Its name cannot be one.
    #[error(transparent)]
    Name(#[from] InvalidId),
    /// Its value is too long.
    #[error("value of label `{label}` is {len} bytes long; shorten it to {VALUE_MAX}")]
    TooLong {
        /// The label.
        label: LabelId,
        /// Its length.
        len: usize,
    },
    /// There are as many as there may be.
    #[error("label `{0}` is one too many; {LABELS_MAX} are allowed")]
    TooMany(LabelId),
}

// === impl Metadata ===

impl Metadata {
    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut labels = self.0.iter();
        labels.find(|(label, _)| label.as_str() == name).map(|(_, value)| &**value)
    }

    /// With a label more, or with another value of it.
    ///
    /// # Errors
    /// [`InvalidMetadata`] where the name or the value cannot be kept.
    pub fn with(&self, name: &str, value: &str) -> Result<Metadata, InvalidMetadata> {
        let label = LabelId::new(name)?;
        if value.len() > VALUE_MAX {
            return Err(InvalidMetadata::TooLong { label, len: value.len() });
        }
        if self.0.len() >= LABELS_MAX && !self.0.contains_key(&label) {
            return Err(InvalidMetadata::TooMany(label));
        }
        let mut labels = BTreeMap::clone(&self.0);
        labels.insert(label, Arc::from(value));
        Ok(Metadata(Arc::new(labels)))
    }
}
