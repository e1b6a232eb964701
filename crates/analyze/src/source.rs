//! Whose log a file is, told by its content.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// A program's way to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Claude Code: `~/.claude/projects/**/*.jsonl`.
    ClaudeCode,
}

/// The members that tell one log from another.
#[derive(Default, Deserialize)]
struct Shape<'l> {
    #[serde(borrow, rename = "type")]
    kind: Option<std::borrow::Cow<'l, str>>,
    #[serde(rename = "sessionId")]
    session_id: Option<IgnoredAny>,
    #[serde(rename = "parentUuid")]
    parent_uuid: Option<IgnoredAny>,
    uuid: Option<IgnoredAny>,
    message: Option<IgnoredAny>,
    snapshot: Option<IgnoredAny>,
    #[serde(rename = "leafUuid")]
    leaf_uuid: Option<IgnoredAny>,
}

// === impl Source ===

impl Source {
    /// The name in reports, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Source::ClaudeCode => "Claude Code",
        }
    }

    /// Whose log a line is from; `None` where the line could be anybody's.
    pub(crate) fn of_line(line: &str) -> Option<Source> {
        let shape: Shape = serde_json::from_str(line).ok()?;
        let has_uuid = shape.uuid.is_some() || shape.parent_uuid.is_some();
        let of_session = shape.session_id.is_some() || has_uuid;
        let claude = match shape.kind.as_deref() {
            Some("assistant" | "user") => shape.message.is_some() && of_session,
            Some("system" | "attachment" | "progress") => has_uuid,
            Some("summary") => shape.leaf_uuid.is_some(),
            Some("file-history-snapshot") => shape.snapshot.is_some(),
            Some("queue-operation") => shape.session_id.is_some(),
            _ => false,
        };
        claude.then_some(Source::ClaudeCode)
    }
}
