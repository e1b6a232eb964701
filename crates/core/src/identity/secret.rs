//! The secret of a key, which is shown once, and the hash that is kept instead.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

const PREFIX: &str = "fk_";
const BYTES: usize = 32;

/// What a client shows: `fk_` and 64 hexadecimal digits. It is in no log: its `Debug` says nothing.
#[derive(Clone, Copy)]
pub struct KeySecret([u8; BYTES]);

/// What all hashes of one installation are keyed with, so that a stolen database opens nothing.
#[derive(Clone, Copy)]
pub struct Pepper([u8; BYTES]);

/// The keyed hash of a secret (BLAKE3). Two are compared in constant time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyHash(blake3::Hash);

/// A text is not a key. The text is not repeated: it may be a secret with a slip of the hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("what was shown is not a key; one looks like fk_ and 64 hexadecimal digits, copy it whole")]
pub struct InvalidSecret;

// === impl KeySecret ===

impl KeySecret {
    /// A secret of 256 random bits.
    pub const fn new(random: [u8; BYTES]) -> KeySecret {
        KeySecret(random)
    }

    /// The secret as text, to be shown to its owner once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", blake3::Hash::from_bytes(self.0).to_hex())
    }

    /// The hash that is kept.
    pub fn hash(&self, pepper: &Pepper) -> KeyHash {
        KeyHash(blake3::keyed_hash(&pepper.0, &self.0))
    }
}

impl FromStr for KeySecret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<KeySecret, InvalidSecret> {
        let hex = text.trim().strip_prefix(PREFIX).ok_or(InvalidSecret)?;
        blake3::Hash::from_hex(hex)
            .map(|hash| KeySecret(*hash.as_bytes()))
            .map_err(|_| InvalidSecret)
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret")
    }
}

// === impl Pepper ===

impl Pepper {
    /// A pepper of 256 random bits, kept apart from the database.
    pub const fn new(random: [u8; BYTES]) -> Pepper {
        Pepper(random)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper")
    }
}

// === impl KeyHash ===

impl Serialize for KeyHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_hex())
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<KeyHash, D::Error> {
        let hex = String::deserialize(deserializer)?;
        blake3::Hash::from_hex(hex).map(KeyHash).map_err(serde::de::Error::custom)
    }
}
