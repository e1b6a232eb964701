//! How far the optimizer may go.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::edit::Class;

/// How far the optimizer may go with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is done.
    Off,
    /// Everything of `safe` is worked out and nothing is changed.
    Shadow,
    /// What no model can see, and what is lossless: L0 and L1.
    #[default]
    Safe,
    /// And what can be fetched back: L2.
    Reversible,
    /// And what is lost: L3.
    Aggressive,
}

/// A name is no mode's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a mode; the modes are off, shadow, safe, reversible, aggressive")]
pub struct UnknownMode(String);

// === impl Mode ===

impl Mode {
    /// Every mode, from the most careful on.
    pub const ALL: [Mode; 5] =
        [Mode::Off, Mode::Shadow, Mode::Safe, Mode::Reversible, Mode::Aggressive];

    /// The name in configuration, headers and receipts.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Shadow => "shadow",
            Mode::Safe => "safe",
            Mode::Reversible => "reversible",
            Mode::Aggressive => "aggressive",
        }
    }

    /// Whether passes of this class may work in it.
    pub const fn allows(self, class: Class) -> bool {
        let most = match self {
            Mode::Off => return false,
            Mode::Shadow | Mode::Safe => Class::L1,
            Mode::Reversible => Class::L2,
            Mode::Aggressive => Class::L3,
        };
        class as u8 <= most as u8
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Mode, UnknownMode> {
        let found = Mode::ALL.into_iter().find(|mode| mode.name() == name);
        found.ok_or_else(|| UnknownMode(name.to_owned()))
    }
}
