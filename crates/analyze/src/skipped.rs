//! What was not read, and why.

use std::collections::BTreeMap;

use serde::Serialize;

/// Why something in a log, or a whole file, is in no sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A line is not JSON, or not of the shape that its log has.
    MalformedLine,
    /// The last line of a file breaks off.
    TruncatedLine,
    /// A line is longer than 64 MiB.
    LineTooLong,
    /// A line has no text: its bytes are not UTF-8.
    NotText,
    /// A line of a known log has a shape that none of its programs is known to write.
    UnknownLine,
    /// A file is no log that is known.
    ForeignFile,
    /// A file is longer than what is read into memory at once.
    FileTooLong,
    /// A file or folder cannot be opened or read.
    Unreadable,
    /// The same answer stands in another file too: a session that was resumed, or forked.
    Duplicate,
    /// The same count was logged again without a call in between.
    RepeatedCount,
    /// The program itself wrote the answer, no model did.
    Synthetic,
    /// The call failed, or its answer has no usage.
    NoUsage,
    /// The usage contradicts itself.
    InvalidUsage,
    /// The call is not in the time that was asked for.
    OutOfRange,
    /// A call is in the sums, but the time since the one before it is unknown.
    ClockWentBack,
}

/// What was skipped, counted by reason, with the first place of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Skipped(BTreeMap<Reason, Skip>);

/// How often something was skipped for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skip {
    /// How often.
    pub count: u64,
    /// What the reason means.
    pub reason: &'static str,
    /// The first place, and what is wrong there.
    pub first: String,
}

// === impl Reason ===

impl Reason {
    /// The reason, for people.
    pub const fn text(self) -> &'static str {
        match self {
            Reason::MalformedLine => "the line is not JSON of the log's shape",
            Reason::TruncatedLine => "the file's last line breaks off",
            Reason::LineTooLong => "the line is longer than 64 MiB",
            Reason::NotText => "the line is not UTF-8 text",
            Reason::UnknownLine => "the line has a shape that this log is not known to have",
            Reason::ForeignFile => "the file is no log that is known",
            Reason::FileTooLong => "the file is longer than 256 MiB and not made of lines",
            Reason::Unreadable => "it cannot be opened or read",
            Reason::Duplicate => "the same answer stands in another file too",
            Reason::RepeatedCount => "the same count again, without a call in between",
            Reason::Synthetic => "the program wrote the answer itself; no model was asked",
            Reason::NoUsage => "the call has no usage: it failed, or the log leaves it out",
            Reason::InvalidUsage => "the usage contradicts itself",
            Reason::ClockWentBack => "the clock went back, so idle time there is unknown",
            Reason::OutOfRange => "the call is not in the time that was asked for",
        }
    }
}

// === impl Skipped ===

impl Skipped {
    /// Counts one; `place` is asked for the first of its reason only.
    pub fn add(&mut self, reason: Reason, place: impl FnOnce() -> String) {
        let skip = self.0.entry(reason);
        let new = || Skip { count: 0, reason: reason.text(), first: place() };
        skip.or_insert_with(new).count += 1;
    }

    /// Counts all of another.
    pub fn merge(&mut self, other: Skipped) {
        for (reason, skip) in other.0 {
            match self.0.get_mut(&reason) {
                Some(known) => known.count += skip.count,
                None => drop(self.0.insert(reason, skip)),
            }
        }
    }

    /// How often something was skipped for this reason.
    pub fn count(&self, reason: Reason) -> u64 {
        self.0.get(&reason).map_or(0, |skip| skip.count)
    }

    /// All reasons that there were.
    pub fn iter(&self) -> impl Iterator<Item = (Reason, &Skip)> {
        self.0.iter().map(|(reason, skip)| (*reason, skip))
    }

    /// Whether nothing was skipped.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
