//! One file: which log it is, and its lines to that log's reader.

use std::io::Read;
use std::sync::Arc;

use crate::claude_code;
use crate::lines::{Line, for_each_line};
use crate::log::Log;
use crate::skipped::{Reason, Skipped};
use crate::source::Source;

/// A file whose first lines are nobody's is foreign.
const LINES_TO_TELL: u64 = 100;

/// The reader of each log.
enum Reader {
    ClaudeCode(claude_code::Reader),
}

struct File {
    log: Log,
    reader: Option<Reader>,
    number: u64,
    /// Lines before the first that told whose log it is.
    untold: u64,
}

// === impl Reader ===

impl Reader {
    fn new(source: Source) -> Reader {
        match source {
            Source::ClaudeCode => Reader::ClaudeCode(claude_code::Reader::default()),
        }
    }

    fn line(&mut self, text: &str, number: u64, log: &mut Log) -> Result<(), serde_json::Error> {
        match self {
            Reader::ClaudeCode(reader) => reader.line(text, number, log),
        }
    }

    fn finish(self, log: &mut Log) {
        match self {
            Reader::ClaudeCode(reader) => reader.finish(log),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// What to count where it is no log.
pub(crate) fn read(input: impl Read, name: Arc<str>) -> Result<Log, Skipped> {
    let log = Log::new(Source::ClaudeCode, name);
    let mut file = File { log, reader: None, number: 0, untold: 0 };
    let read = for_each_line(input, |line| file.line(&line));
    let File { mut log, reader, number, .. } = file;
    if let Err(error) = read {
        log.skip(Reason::Unreadable, number, &error.to_string());
    }
    match reader {
        Some(reader) => {
            reader.finish(&mut log);
            Ok(log)
        }
        None => {
            let name = Arc::clone(&log.file);
            let mut skipped = Skipped::default();
            skipped.add(Reason::ForeignFile, || name.to_string());
            Err(skipped)
        }
    }
}

// === impl File ===

impl File {
    fn line(&mut self, line: &Line<'_>) {
        self.number += 1;
        let (bytes, last) = match line {
            Line::Text(bytes) => (bytes, false),
            Line::Last(bytes) => (bytes, true),
            Line::TooLong => return self.log.skip(Reason::LineTooLong, self.number, ""),
        };
        if self.reader.is_none() && self.untold > LINES_TO_TELL {
            return;
        }
        let Ok(text) = str::from_utf8(bytes) else {
            let reason = if last { Reason::TruncatedLine } else { Reason::NotText };
            return self.log.skip(reason, self.number, "");
        };
        if self.reader.is_none() {
            let Some(source) = Source::of_line(text) else {
                self.untold += 1;
                return;
            };
            self.log.source = source;
            self.reader = Some(Reader::new(source));
        }
        let Some(reader) = &mut self.reader else { return };
        if let Err(error) = reader.line(text, self.number, &mut self.log) {
            let cut_off = last && error.is_eof();
            let reason = if cut_off { Reason::TruncatedLine } else { Reason::MalformedLine };
            self.log.skip(reason, self.number, &error.to_string());
        }
    }
}
