//! Whose log a file is, told by its content.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::openai::Exchange;

/// A program's way to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Claude Code: `~/.claude/projects/**/*.jsonl`.
    ClaudeCode,
    /// Codex: `~/.codex/sessions/**/rollout-*.jsonl`.
    Codex,
    /// Gemini CLI: `~/.gemini/tmp/*/chats/session-*`.
    GeminiCli,
    /// JSON lines of requests and answers.
    OpenAi,
    /// SWE-agent's and mini-SWE-agent's trajectories.
    SweAgent,
    /// OpenHands' trajectories and outputs.
    OpenHands,
    /// Conversations, one a line.
    Trace,
}

/// The members that tell one log from another.
#[derive(Default, Deserialize)]
struct Shape<'l> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'l, str>>,
    #[serde(default, rename = "sessionId")]
    session_id: Option<IgnoredAny>,
    #[serde(default, rename = "projectHash")]
    project_hash: Option<IgnoredAny>,
    #[serde(default, rename = "parentUuid")]
    parent_uuid: Option<IgnoredAny>,
    #[serde(default)]
    uuid: Option<IgnoredAny>,
    #[serde(default, rename = "leafUuid")]
    leaf_uuid: Option<IgnoredAny>,
    #[serde(default)]
    message: Option<IgnoredAny>,
    #[serde(default)]
    messages: Option<IgnoredAny>,
    #[serde(default)]
    snapshot: Option<IgnoredAny>,
    #[serde(default)]
    payload: Option<IgnoredAny>,
    #[serde(default)]
    trajectory: Option<IgnoredAny>,
    #[serde(default)]
    trajectory_format: Option<IgnoredAny>,
    #[serde(default)]
    info: Option<IgnoredAny>,
    #[serde(default)]
    instance_id: Option<IgnoredAny>,
    #[serde(default)]
    history: Option<IgnoredAny>,
    #[serde(default)]
    metrics: Option<IgnoredAny>,
    #[serde(default)]
    source: Option<IgnoredAny>,
    #[serde(default)]
    action: Option<IgnoredAny>,
    #[serde(default)]
    observation: Option<IgnoredAny>,
    #[serde(default)]
    api: Option<IgnoredAny>,
    #[serde(default, rename = "kind")]
    trace_kind: Option<IgnoredAny>,
}

// === impl Source ===

impl Source {
    /// The name in reports, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Source::ClaudeCode => "Claude Code",
            Source::Codex => "Codex",
            Source::GeminiCli => "Gemini CLI",
            Source::OpenAi => "API log",
            Source::SweAgent => "SWE-agent",
            Source::OpenHands => "OpenHands",
            Source::Trace => "trace",
        }
    }

    /// Whose log a line or a document is from; `None` where it could be anybody's.
    pub(crate) fn of_line(text: &str) -> Option<Source> {
        let shape: Shape<'_> = serde_json::from_str(text).ok()?;
        let known = [
            (Source::ClaudeCode, shape.is_claude_code()),
            (Source::Codex, shape.is_codex()),
            (Source::GeminiCli, shape.project_hash.is_some() && shape.session_id.is_some()),
            (Source::SweAgent, shape.is_swe_agent()),
            (Source::OpenHands, shape.is_openhands()),
            (Source::Trace, shape.messages.is_some() && shape.is_trace()),
        ];
        let known = known.into_iter().find(|(_, is)| *is).map(|(source, _)| source);
        known.or_else(|| {
            let exchange: Exchange<'_> = serde_json::from_str(text).ok()?;
            exchange.is_one().then_some(Source::OpenAi)
        })
    }
}

// === impl Shape ===

impl Shape<'_> {
    fn is_claude_code(&self) -> bool {
        let has_uuid = self.uuid.is_some() || self.parent_uuid.is_some();
        match self.kind.as_deref() {
            Some("assistant" | "user") => {
                self.message.is_some() && (self.session_id.is_some() || has_uuid)
            }
            Some("system" | "attachment" | "progress") => has_uuid,
            Some("summary") => self.leaf_uuid.is_some(),
            Some("file-history-snapshot") => self.snapshot.is_some(),
            Some("queue-operation") => self.session_id.is_some(),
            _ => false,
        }
    }

    fn is_codex(&self) -> bool {
        let kinds = ["session_meta", "response_item", "event_msg", "turn_context", "compacted"];
        self.payload.is_some() && self.kind.as_deref().is_some_and(|kind| kinds.contains(&kind))
    }

    fn is_swe_agent(&self) -> bool {
        let recorded = self.trajectory.is_some() || self.trajectory_format.is_some();
        recorded && (self.info.is_some() || self.history.is_some())
    }

    fn is_openhands(&self) -> bool {
        let output = self.instance_id.is_some() && self.metrics.is_some();
        let event = self.source.is_some() && (self.action.is_some() || self.observation.is_some());
        output || event
    }

    fn is_trace(&self) -> bool {
        self.api.is_some() || self.trace_kind.is_some()
    }
}
