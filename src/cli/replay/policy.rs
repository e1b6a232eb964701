//! What is to be done with the requests of a replay.

use std::path::Path;

use anyhow::{Context, Result, bail};
use farthing_optimize::{Mode, Observations};
use serde::Deserialize;

use crate::cli::input;

/// What is done with each request.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    /// How far the optimizer goes.
    #[serde(default)]
    pub(super) mode: Mode,
    /// Who breaks the prompt for the cache.
    #[serde(default)]
    pub(super) breakpoints: Breakpoints,
    /// Whether idle prompts are kept warm by requests of our own.
    #[serde(default)]
    pub(super) keep_warm: bool,
    /// How the scaffold sends observations.
    #[serde(default)]
    pub(super) observations: Observations,
}

/// Who breaks a prompt for the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Breakpoints {
    /// The client, as it did.
    AsSent,
    /// After the instructions and behind the newest message, always.
    Rolling,
    /// The optimizer.
    #[default]
    Planned,
}

// === impl Policy ===

impl Policy {
    /// A policy by its name, or from a file.
    pub(super) fn of(name: &str) -> Result<Policy> {
        let policy = |mode, breakpoints, keep_warm| Policy {
            mode,
            breakpoints,
            keep_warm,
            observations: Observations::Tool,
        };
        Ok(match name {
            "none" => policy(Mode::Off, Breakpoints::AsSent, false),
            "rolling" => policy(Mode::Off, Breakpoints::Rolling, false),
            "safe" => policy(Mode::Safe, Breakpoints::Planned, true),
            "reversible" => policy(Mode::Reversible, Breakpoints::Planned, true),
            "aggressive" => policy(Mode::Aggressive, Breakpoints::Planned, true),
            file if Path::new(file).is_file() => Policy::read(Path::new(file))?,
            other => bail!(
                "`{other}` is no policy; give none, rolling, safe, reversible, aggressive, or a \
                 file of settings"
            ),
        })
    }

    fn read(path: &Path) -> Result<Policy> {
        let text = input::body(path)?;
        let text = std::str::from_utf8(&text).with_context(|| input::name(path))?;
        toml::from_str(text).with_context(|| format!("{} is no policy", input::name(path)))
    }
}
