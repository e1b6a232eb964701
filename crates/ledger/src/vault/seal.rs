//! Sealing: encryption that also proves for whom and under which name something was kept.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::{fmt, fs, io};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};

use super::{Kind, Owner};
use crate::store::StoreError;
use crate::store::sqlite::private;

/// 256 bits that the operator's machine keeps and nobody else knows.
#[derive(Clone)]
pub struct Secret([u8; 32]);

/// What an item is kept under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub [u8; 32]);

/// Names and seals items by keys derived from a [`Secret`].
pub(super) struct Sealer {
    naming: [u8; 32],
    sealing: LessSafeKey,
    random: SystemRandom,
}

// === impl Secret ===

impl Secret {
    /// A secret of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Secret {
        Secret(bytes)
    }

    /// A secret that nobody knows, for as long as the process lives.
    ///
    /// # Errors
    /// [`StoreError`] where the system has no randomness.
    pub fn random() -> Result<Secret, StoreError> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(no_randomness)?;
        Ok(Secret(bytes))
    }

    /// The secret in this file: 64 hexadecimal digits. A file that is missing is made, readable by
    /// the owner alone.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read or made, or holds no secret.
    pub fn in_file(path: &Path) -> Result<Secret, StoreError> {
        match fs::read_to_string(path) {
            Ok(text) => Secret::from_hex(text.trim()).ok_or_else(|| {
                let cause = "it does not hold 64 hexadecimal digits";
                failed(path, "read it", "restore it from a backup", cause.into())
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secret = Secret::random()?;
                let digits: String = secret.0.iter().map(|byte| format!("{byte:02x}")).collect();
                let made = private().create_new(true).open(path);
                let written = made.and_then(|mut file| {
                    writeln!(file, "{digits}")?;
                    file.sync_all()
                });
                let remedy = "check that this user may write to its folder";
                written.map_err(|error| failed(path, "make it", remedy, error.into()))?;
                Ok(secret)
            }
            Err(error) => {
                let remedy = "check that this user may read it";
                Err(failed(path, "read it", remedy, error.into()))
            }
        }
    }

    fn from_hex(text: &str) -> Option<Secret> {
        let digits = text.as_bytes().as_array::<64>()?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Secret(bytes))
    }

    /// A key of its own for each purpose, which says nothing about the others.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

// === impl Sealer ===

impl Sealer {
    pub(super) fn new(secret: &Secret) -> Sealer {
        let naming = secret.derive("farthing vault 2026 names");
        let sealing = secret.derive("farthing vault 2026 content");
        // A key of 32 bytes is what the cipher takes.
        #[expect(clippy::expect_used, reason = "the length is right by type")]
        let sealing = UnboundKey::new(&CHACHA20_POLY1305, &sealing).expect("32 bytes");
        Sealer { naming, sealing: LessSafeKey::new(sealing), random: SystemRandom::new() }
    }

    pub(super) fn id(&self, owner: &Owner, kind: Kind, name: &str) -> Id {
        let kind = match kind {
            Kind::Answer => "answer",
            Kind::Original => "original",
        };
        self.name(&[kind, owner.tenant.as_str(), owner.user.as_str(), name])
    }

    pub(super) fn owner(&self, owner: &Owner) -> Id {
        self.name(&["owner", owner.tenant.as_str(), owner.user.as_str()])
    }

    fn name(&self, parts: &[&str]) -> Id {
        let mut hasher = blake3::Hasher::new_keyed(&self.naming);
        for part in parts {
            // The length keeps `ab`, `c` apart from `a`, `bc`.
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        Id(*hasher.finalize().as_bytes())
    }

    /// Seals a text under an id.
    pub(super) fn seal(&self, id: &Id, text: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE_LEN];
        let mut sealed = text.to_vec();
        let sealing = self.random.fill(&mut nonce).and_then(|()| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            self.sealing.seal_in_place_append_tag(nonce, Aad::from(id.0), &mut sealed)
        });
        sealing.map_err(no_randomness)?;
        sealed.extend_from_slice(&nonce);
        Ok(sealed)
    }

    /// What was sealed under this very id; `None` where it was not, or was changed since.
    pub(super) fn open(&self, id: &Id, sealed: &[u8]) -> Option<Vec<u8>> {
        let (sealed, nonce) = sealed.split_last_chunk::<NONCE_LEN>()?;
        let mut text = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.sealing.open_in_place(nonce, Aad::from(id.0), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

fn no_randomness(error: Unspecified) -> StoreError {
    let remedy = "check this machine's source of randomness";
    failed(Path::new("vault"), "make a random number", remedy, error.into())
}

fn failed(
    path: &Path,
    doing: &'static str,
    remedy: &'static str,
    cause: Box<dyn Error + Send + Sync>,
) -> StoreError {
    StoreError::Engine { place: format!("secret {}", path.display()), doing, remedy, cause }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}
