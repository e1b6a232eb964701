//! The price facts that the settings ask for.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use farthing_core::pricing::{Catalog as Facts, Overrides};
use serde::Deserialize;

/// Whose prices hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalog {
    /// Files that lie over the built-in facts; empty for none.
    directory: PathBuf,
    /// Which model a name is, by provider and name.
    #[serde(rename = "override", default)]
    overrides: Overrides,
}

/// A file as it was when it was looked at.
pub(crate) type Seen = (PathBuf, Option<SystemTime>, u64);

// === impl Catalog ===

impl Catalog {
    /// The built-in facts with what the settings lay over them.
    pub(crate) fn load(&self) -> Result<Arc<Facts>> {
        let embedded = Facts::embedded().context("the embedded price catalog")?;
        if self.directory.as_os_str().is_empty() && self.overrides.is_empty() {
            return Ok(embedded);
        }
        let files = match self.directory.as_os_str().is_empty() {
            true => Vec::new(),
            false => read(&self.directory)?,
        };
        let facts = embedded.overlaid(&borrowed(&files))?;
        Ok(Arc::new(facts.with_overrides(self.overrides.clone())))
    }

    /// The folder and its files as they are now, to tell whether they have changed.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let mut seen: Vec<_> = entries.map(|entry| look(&entry.path())).collect();
        seen.sort();
        seen
    }
}

/// A file as it is now.
pub(crate) fn look(path: &Path) -> Seen {
    let about = fs::metadata(path).ok();
    let changed = about.as_ref().and_then(|about| about.modified().ok());
    (path.to_owned(), changed, about.map_or(0, |about| about.len()))
}

/// The catalog files of a folder, or the one that is named: names and texts.
pub(crate) fn read(path: &Path) -> Result<Vec<(String, String)>> {
    let text = |path: &PathBuf| {
        let text = fs::read_to_string(path);
        let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
        Ok((path.display().to_string(), text))
    };
    if path.is_file() {
        return Ok(vec![text(&path.to_owned())?]);
    }
    let entries =
        fs::read_dir(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let files: Result<Vec<PathBuf>, _> =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>();
    let mut files = files.with_context(|| format!("{} cannot be read", path.display()))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    if files.is_empty() {
        bail!("{} has no catalog: no file in it ends in .toml", path.display());
    }
    files.iter().map(text).collect()
}

/// The same, as the catalog reads it.
pub(crate) fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}
