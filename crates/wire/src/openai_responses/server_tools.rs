//! Tools that the provider ran. They are billed by the call and not in `usage`, so the items of
//! `output` are counted.

use std::collections::BTreeSet;

use farthing_core::usage::{Bucket, Usage};

use crate::json::{Json, pick, type_of};

/// Containers that are told apart; no answer has as many.
const MAX_CONTAINERS: usize = 1_000;

/// What was run so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerTools {
    counts: Usage,
    /// The containers of the code interpreter: each is one session, however often it is used.
    containers: BTreeSet<String>,
}

// === impl ServerTools ===

impl ServerTools {
    /// Those of an answer's `output`.
    pub(super) fn of(output: Option<Json>) -> ServerTools {
        let mut tools = ServerTools::default();
        output.into_iter().flat_map(Json::elements).for_each(|item| tools.note(item));
        tools
    }

    /// Notes an item, if it is a call of such a tool.
    pub(super) fn note(&mut self, item: Json) {
        let bucket = match &*type_of(item) {
            "web_search_call" if is_search(item) => Bucket::WebSearch,
            "file_search_call" => Bucket::FileSearch,
            "code_interpreter_call" if self.is_new_session(item) => Bucket::CodeExecution,
            _ => return,
        };
        self.counts = self.counts.with(bucket, self.counts.get(bucket).saturating_add(1));
    }

    /// What was run, in buckets.
    pub(super) fn counts(&self) -> Usage {
        self.counts
    }

    fn is_new_session(&mut self, item: Json) -> bool {
        pick!(item => container_id);
        let Some(container) = container_id.and_then(Json::as_str) else { return true };
        self.containers.len() >= MAX_CONTAINERS || self.containers.insert(container.into_owned())
    }
}

/// Whether a call searched: to open a page that was found, or to look for words in it,
/// [costs nothing](https://platform.openai.com/docs/guides/tools-web-search).
fn is_search(call: Json) -> bool {
    pick!(call => action);
    !matches!(action.map(type_of).as_deref(), Some("open_page" | "find_in_page"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(output: &str) -> Vec<(&'static str, u64)> {
        let tools = ServerTools::of(Some(Json::parse(output.as_bytes()).unwrap()));
        tools.counts().iter().map(|(bucket, n)| (bucket.name(), n)).collect()
    }

    #[test]
    fn searches_are_counted_and_the_opening_of_pages_is_not() {
        let output = r#"[{"type":"web_search_call"},{"type":"web_search_call","action":{"type":"search"}},
            {"type":"web_search_call","action":{"type":"open_page"}},{"type":"message"},
            {"type":"file_search_call"},{"type":"function_call"},7]"#;
        assert_eq!(counted(output), [("web_search", 2), ("file_search", 1)]);
    }

    #[test]
    fn a_container_is_one_session_however_often_it_is_used() {
        let output = r#"[{"type":"code_interpreter_call","container_id":"a"},
            {"type":"code_interpreter_call","container_id":"a"},
            {"type":"code_interpreter_call","container_id":"b"},{"type":"code_interpreter_call"}]"#;
        assert_eq!(counted(output), [("code_execution", 3)]);
    }
}
