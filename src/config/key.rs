//! Names of settings.

use std::fmt;

/// How the name of a variable of ours begins.
pub(crate) const PREFIX: &str = "FARTHING_";

/// The name of a setting or a section, as in `server.listen`: its path from the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Key(Vec<String>);

// === impl Key ===

impl Key {
    /// The key at the end of a path.
    pub(crate) fn new(path: &[&str]) -> Key {
        Key(path.iter().map(|segment| (*segment).to_owned()).collect())
    }

    /// What is called `name` in this section.
    pub(super) fn join(&self, name: &str) -> Key {
        let mut path = self.0.clone();
        path.push(name.to_owned());
        Key(path)
    }

    /// Its own name, without those of its sections.
    pub(crate) fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// The section that it is in.
    pub(crate) fn section(&self) -> Key {
        self.first(self.0.len().saturating_sub(1))
    }

    /// Its beginning, of this length.
    pub(super) fn first(&self, length: usize) -> Key {
        Key(self.0.iter().take(length).cloned().collect())
    }

    /// The same key with another segment at a depth.
    pub(super) fn with(mut self, depth: usize, segment: &str) -> Key {
        if let Some(old) = self.0.get_mut(depth) {
            segment.clone_into(old);
        }
        self
    }

    /// Its segments, outermost first.
    pub(super) fn path(&self) -> &[String] {
        &self.0
    }

    /// The environment variable that sets it: sections and names are two underscores apart.
    pub(super) fn variable(&self) -> String {
        let segments: Vec<_> = self.0.iter().map(|segment| variable_segment(segment)).collect();
        format!("{PREFIX}{}", segments.join("__"))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            }
            let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if !segment.is_empty() && segment.chars().all(is_bare) {
                f.write_str(segment)?;
            } else {
                write!(f, "{segment:?}")?;
            }
        }
        Ok(())
    }
}

/// A name as part of a variable's: what no shell takes is an underscore.
pub(super) fn variable_segment(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    upper.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
