//! What is known of Anthropic's models by their names.

use serde::Serialize;

/// Names that clients ask for, the models that answer, and how those are called. Models since
/// Claude 4.6 have no date. From <https://docs.claude.com/en/docs/about-claude/models/overview>.
const MODELS: &[(&str, &str, &str)] = &[
    ("claude-opus-4-8", "claude-opus-4-8", "Claude Opus 4.8"),
    ("claude-opus-4-6", "claude-opus-4-6", "Claude Opus 4.6"),
    ("claude-opus-4-5", "claude-opus-4-5-20251101", "Claude Opus 4.5"),
    ("claude-opus-4-1", "claude-opus-4-1-20250805", "Claude Opus 4.1"),
    ("claude-opus-4-0", "claude-opus-4-20250514", "Claude Opus 4"),
    ("claude-sonnet-4-6", "claude-sonnet-4-6", "Claude Sonnet 4.6"),
    ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"),
    ("claude-sonnet-4-0", "claude-sonnet-4-20250514", "Claude Sonnet 4"),
    ("claude-haiku-4-5", "claude-haiku-4-5-20251001", "Claude Haiku 4.5"),
];

/// When every model was made: one moment, so that runs can be compared.
const CREATED_AT: &str = "2025-10-09T08:53:20Z";

/// Whether `model` can be asked for.
pub(super) fn is_known(model: &str) -> bool {
    model.starts_with("claude-")
}

/// The model that answers for `model`; itself where the table has none.
pub(super) fn snapshot(model: &str) -> &str {
    let found = MODELS.iter().find(|(name, ..)| *name == model);
    found.map_or(model, |(_, snapshot, _)| snapshot)
}

/// The answer to `GET /v1/models`.
#[derive(Debug, Serialize)]
pub(super) struct List {
    data: Vec<Model>,
    has_more: bool,
    first_id: Option<&'static str>,
    last_id: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Model {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'static str,
    display_name: &'static str,
    created_at: &'static str,
}

/// All models of the table.
pub(super) fn list() -> List {
    let model = |&(_, id, display_name): &_| Model {
        kind: "model",
        id,
        display_name,
        created_at: CREATED_AT,
    };
    let data: Vec<_> = MODELS.iter().map(model).collect();
    let (first_id, last_id) = (data.first().map(|m| m.id), data.last().map(|m| m.id));
    List { data, has_more: false, first_id, last_id }
}
