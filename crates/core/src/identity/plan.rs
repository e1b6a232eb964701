//! Plans: what is sold, or granted, together.

use serde::{Deserialize, Serialize};

use crate::budget::Rule;
use crate::ratelimit::RateRule;

/// Limits, optimizer level, analytics, retention and disconnect policy under one name. Plans are
/// configuration; none is built in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What may be spent.
    #[serde(default)]
    pub limits: Vec<Rule>,
    /// How fast.
    #[serde(default)]
    pub rates: Vec<RateRule>,
    /// How far requests may be changed to make them cheaper.
    pub optimizer: OptimizerLevel,
    /// What is told about usage.
    pub analytics: Analytics,
    /// How many days records are kept.
    pub retention_days: u32,
    /// What becomes of a call whose client goes away.
    pub on_disconnect: Disconnect,
}

/// How far requests may be changed to make them cheaper, each level with those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerLevel {
    /// Not at all.
    Off,
    /// So that nothing is lost.
    Lossless,
    /// So that words are lost that say nothing.
    Concise,
    /// So that what matters least is lost.
    Extractive,
}

/// What is told about usage, each level with those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Analytics {
    /// Sums.
    Basic,
    /// Apart by agent, model and time.
    Detailed,
    /// With recommendations and what they would save.
    Advised,
}

/// What becomes of a call whose client goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disconnect {
    /// The provider's connection is closed and what was seen is billed by our own count.
    Cancel,
    /// The answer is read to its end and billed exactly.
    Drain,
    /// The connection is closed and the answer billed as long as such answers are.
    Estimate,
}
