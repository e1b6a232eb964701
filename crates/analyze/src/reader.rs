//! One file: which log it is, and its lines to that log's reader.

use std::io::Read;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::lines::{Line, for_each_line};
use crate::log::Log;
use crate::skipped::{Reason, Skipped};
use crate::source::Source;
use crate::{claude_code, codex, gemini_cli, openai, trajectory};

/// A file whose first lines are nobody's is foreign.
const LINES_TO_TELL: u64 = 100;

/// Longer documents are not read.
const DOCUMENT_BYTES_MAX: usize = 256 << 20;

/// The reader of each log.
enum Reader {
    ClaudeCode(claude_code::Reader),
    Codex(codex::Reader),
    GeminiCli(gemini_cli::Reader),
    OpenAi(openai::Reader),
    Trajectory(trajectory::Reader),
}

struct File {
    log: Log,
    reader: Option<Reader>,
    number: u64,
    /// Lines before the first that told whose log it is.
    untold: u64,
    /// The lines so far of a document that has more than one.
    document: Option<Vec<u8>>,
}

// === impl Reader ===

impl Reader {
    fn new(source: Source) -> Reader {
        match source {
            Source::ClaudeCode => Reader::ClaudeCode(claude_code::Reader::default()),
            Source::Codex => Reader::Codex(codex::Reader::default()),
            Source::GeminiCli => Reader::GeminiCli(gemini_cli::Reader::default()),
            Source::OpenAi => Reader::OpenAi(openai::Reader::default()),
            Source::SweAgent | Source::OpenHands | Source::Trace => {
                Reader::Trajectory(trajectory::Reader::default())
            }
        }
    }

    fn line(&mut self, text: &str, number: u64, log: &mut Log) -> Result<(), serde_json::Error> {
        match self {
            Reader::ClaudeCode(reader) => reader.line(text, number, log),
            Reader::Codex(reader) => reader.line(text, number, log),
            Reader::GeminiCli(reader) => reader.line(text, number, log),
            Reader::OpenAi(reader) => reader.line(text, number, log),
            Reader::Trajectory(reader) => reader.line(text, number, log),
        }
    }

    fn finish(self, log: &mut Log) {
        match self {
            Reader::ClaudeCode(reader) => reader.finish(log),
            Reader::Trajectory(reader) => reader.finish(log),
            Reader::Codex(_) | Reader::GeminiCli(_) | Reader::OpenAi(_) => {}
        }
    }
}

/// Reads a file.
///
/// # Errors
/// What to count where it is no log.
pub(crate) fn read(input: impl Read, name: Arc<str>) -> Result<Log, Skipped> {
    let log = Log::new(Source::ClaudeCode, name);
    let mut file = File { log, reader: None, number: 0, untold: 0, document: None };
    let read = for_each_line(input, |line| file.line(&line));
    if let Some(document) = file.document.take() {
        file.whole(&document);
    }
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
            log.skipped.add(Reason::ForeignFile, || name.to_string());
            Err(log.skipped)
        }
    }
}

// === impl File ===

impl File {
    fn line(&mut self, line: &Line<'_>) {
        self.number += 1;
        let (bytes, last) = match line {
            Line::Text(bytes) => (*bytes, false),
            Line::Last(bytes) => (*bytes, true),
            Line::TooLong => return self.log.skip(Reason::LineTooLong, self.number, ""),
        };
        if let Some(document) = &mut self.document {
            document.extend_from_slice(bytes);
            document.push(b'\n');
            if document.len() > DOCUMENT_BYTES_MAX {
                self.document = None;
                self.untold = LINES_TO_TELL;
                self.log.skip(Reason::FileTooLong, self.number, "");
            }
            return;
        }
        if self.reader.is_none() && self.untold >= LINES_TO_TELL {
            return;
        }
        let Ok(text) = str::from_utf8(bytes) else {
            let reason = if last { Reason::TruncatedLine } else { Reason::NotText };
            return self.log.skip(reason, self.number, "");
        };
        if self.reader.is_none() && self.number == 1 && !last && begins_document(text) {
            self.document = Some([bytes, b"\n"].concat());
            return;
        }
        self.text(text, last);
    }

    /// Takes a line, or a whole document.
    fn text(&mut self, text: &str, last: bool) {
        if self.reader.is_none() && !self.told(text) {
            self.untold += 1;
            return;
        }
        if let Some(elements) = list(text) {
            return elements.into_iter().for_each(|element| self.element(element.get(), last));
        }
        self.element(text, last);
    }

    fn element(&mut self, text: &str, last: bool) {
        let Some(reader) = &mut self.reader else { return };
        if let Err(error) = reader.line(text, self.number, &mut self.log) {
            let cut_off = last && error.is_eof();
            let reason = if cut_off { Reason::TruncatedLine } else { Reason::MalformedLine };
            self.log.skip(reason, self.number, &error.to_string());
        }
    }

    /// Whether a line tells whose log this is.
    fn told(&mut self, text: &str) -> bool {
        let first = list(text).and_then(|elements| elements.first().copied());
        let source = Source::of_line(first.map_or(text, RawValue::get));
        if let Some(source) = source {
            self.log.source = source;
            self.reader = Some(Reader::new(source));
        }
        source.is_some()
    }

    /// Takes a document of several lines.
    fn whole(&mut self, document: &[u8]) {
        let Ok(text) = str::from_utf8(document) else {
            return self.log.skip(Reason::NotText, 1, "");
        };
        if serde_json::from_str::<IgnoredAny>(text).is_ok() {
            return self.text(text, true);
        }
        // Lines after all, of which the first breaks off.
        self.number = 0;
        for line in text.lines() {
            self.number += 1;
            self.text(line, false);
        }
    }
}

/// Whether a file's first line is the beginning of a longer document.
fn begins_document(line: &str) -> bool {
    let cut_off = serde_json::from_str::<IgnoredAny>(line).is_err_and(|error| error.is_eof());
    cut_off && line.len() < 1024
}

fn list(text: &str) -> Option<Vec<&RawValue>> {
    text.trim_start().starts_with('[').then(|| serde_json::from_str(text).ok())?
}
