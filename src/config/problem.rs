//! What is wrong with settings, and where each value comes from.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Where the value of a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The embedded default.
    Default,
    /// A line of a file, counted from 1.
    File(Arc<str>, usize),
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What it is about, as in "unknown key `server.listn`".
    pub(crate) subject: String,
    /// Where it stands.
    pub(crate) origin: Option<Origin>,
    /// What is wrong with it and what to do, with the punctuation before it.
    pub(crate) detail: String,
}

/// All that is wrong; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, line) => write!(f, "{path}:{line}"),
            Origin::Variable(name) => write!(f, "env {name}"),
            Origin::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)?;
        match &self.origin {
            None => {}
            Some(Origin::Default) => f.write_str(" in the default configuration")?,
            Some(Origin::File(path, line)) => write!(f, " in {path} line {line}")?,
            Some(Origin::Variable(name)) => write!(f, " in {name}")?,
            Some(Origin::Flag(name)) => write!(f, " in {name}")?,
        }
        f.write_str(&self.detail)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problems(all) = self;
        if let [only] = all.as_slice() {
            return only.fmt(f);
        }
        write!(f, "{} problems in the configuration", all.len())?;
        all.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl Error for Problems {}
