//! A folder with logs, and the report on them.

use std::num::NonZero;

use farthing_analyze::scan::Silent;
use farthing_analyze::{Priced, Report, Terms, scan};
use farthing_core::pricing::Catalog;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const OPUS: &str = "claude-opus-4-5-20251101";

pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(TempDir::new().unwrap())
    }

    pub(crate) fn with(self, name: &str, text: impl AsRef<[u8]>) -> Folder {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn report(&self) -> Report {
        self.report_by(2)
    }

    pub(crate) fn report_by(&self, threads: usize) -> Report {
        let catalog = Catalog::embedded().unwrap();
        let threads = NonZero::new(threads).unwrap();
        let now: Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
        let logs = scan(&[self.0.path().to_owned()], threads, &Silent).unwrap();
        let terms = Terms { catalog: &catalog, now, model: Some(("openai", "gpt-4.1")) };
        let priced = Priced::new(logs, &terms);
        Report::new(&priced, &terms, &TimeZone::UTC, &[])
    }

    /// The report as its readers get it, without the name of the folder.
    pub(crate) fn json(&self) -> Value {
        let text = serde_json::to_string(&self.report()).unwrap();
        serde_json::from_str(&text.replace(&self.0.path().display().to_string(), "")).unwrap()
    }
}

/// Lines of a file.
pub(crate) fn lines(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A line of an answer in Claude Code's transcripts.
pub(crate) fn answer(id: &str, at: &str, usage: Value) -> Value {
    json!({
        "type": "assistant", "sessionId": "s1", "uuid": id, "requestId": format!("req_{id}"),
        "timestamp": format!("2026-01-06T{at}Z"), "isSidechain": false,
        "message": { "id": id, "model": OPUS, "role": "assistant", "content": [], "usage": usage },
    })
}

/// A usage of Anthropic's: input, read, written for five minutes, output.
pub(crate) fn usage(input: u64, read: u64, written: u64, output: u64) -> Value {
    json!({
        "input_tokens": input, "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written, "output_tokens": output,
        "cache_creation": { "ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0 },
    })
}

/// The same line with a tool that was called.
pub(crate) fn calling(mut line: Value, tool: &str, id: &str, input: Value) -> Value {
    line["message"]["content"] =
        json!([{ "type": "tool_use", "id": id, "name": tool, "input": input }]);
    line
}

/// What a tool gave.
pub(crate) fn result(id: &str, text: &str, failed: bool) -> Value {
    json!({
        "type": "user", "sessionId": "s1", "uuid": id,
        "message": { "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": id, "content": text, "is_error": failed },
        ] },
    })
}
