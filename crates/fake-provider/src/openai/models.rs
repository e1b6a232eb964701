//! What is known of OpenAI's models by their names.

use serde::Serialize;

use crate::tokenizer::Encoding;

/// Names without a date and the snapshots that answer for them,
/// from <https://platform.openai.com/docs/models>.
const SNAPSHOTS: &[(&str, &str)] = &[
    ("gpt-3.5-turbo", "gpt-3.5-turbo-0125"),
    ("gpt-4", "gpt-4-0613"),
    ("gpt-4-turbo", "gpt-4-turbo-2024-04-09"),
    ("gpt-4.1", "gpt-4.1-2025-04-14"),
    ("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"),
    ("gpt-4.1-nano", "gpt-4.1-nano-2025-04-14"),
    ("gpt-4o", "gpt-4o-2024-08-06"),
    ("gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
    ("gpt-5", "gpt-5-2025-08-07"),
    ("gpt-5-mini", "gpt-5-mini-2025-08-07"),
    ("gpt-5-nano", "gpt-5-nano-2025-08-07"),
    ("o1", "o1-2024-12-17"),
    ("o3", "o3-2025-04-16"),
    ("o3-mini", "o3-mini-2025-01-31"),
    ("o4-mini", "o4-mini-2025-04-16"),
];

/// When every model and every answer was made, in Unix seconds: one moment, so that runs can be
/// compared.
pub(super) const CREATED: u64 = 1_760_000_000;

/// Whether `model` can be asked for.
pub(super) fn is_known(model: &str) -> bool {
    let families = ["gpt-", "o1", "o3", "o4", "chatgpt-", "codex-", "text-embedding-"];
    families.iter().any(|family| model.starts_with(family))
}

/// The dated model that answers for `model`; itself where the table has none.
pub(super) fn snapshot(model: &str) -> &str {
    let found = SNAPSHOTS.iter().find(|(name, _)| *name == model);
    found.map_or(model, |(_, snapshot)| snapshot)
}

/// The vocabulary of `model`.
pub(super) fn encoding(model: &str) -> Encoding {
    let is_old = model == "gpt-4" || model.starts_with("gpt-4-") || model.starts_with("gpt-3.5");
    let is_old = is_old || model.starts_with("text-embedding-");
    if is_old { Encoding::Cl100k } else { Encoding::O200k }
}

/// The answer to `GET /v1/models`.
#[derive(Debug, Serialize)]
pub(super) struct List {
    object: &'static str,
    data: Vec<Model>,
}

#[derive(Debug, Serialize)]
struct Model {
    id: &'static str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

/// All models of the table, under both of their names.
pub(super) fn list() -> List {
    let names = SNAPSHOTS.iter().flat_map(|(name, snapshot)| [*name, *snapshot]);
    let model = |id| Model { id, object: "model", created: CREATED, owned_by: "system" };
    List { object: "list", data: names.map(model).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gpt_4_and_older_use_the_old_vocabulary() {
        for model in ["gpt-4", "gpt-4-0613", "gpt-4-turbo", "gpt-3.5-turbo"] {
            assert_eq!(encoding(model), Encoding::Cl100k, "{model}");
        }
        for model in ["gpt-4o", "gpt-4.1", "gpt-4.5-preview", "gpt-5", "o1", "chatgpt-4o-latest"] {
            assert_eq!(encoding(model), Encoding::O200k, "{model}");
        }
    }
}
