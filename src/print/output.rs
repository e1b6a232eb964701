//! Where commands print.

use std::io::{self, ErrorKind, StdoutLock, Write};

use serde::Serialize;

/// Standard output. When its reader has gone, the rest is dropped without an error: whoever closed
/// the pipe has read enough.
#[derive(Debug)]
pub(crate) struct Output {
    stdout: StdoutLock<'static>,
    left: bool,
}

// === impl Output ===

impl Output {
    pub(crate) fn stdout() -> Output {
        Output { stdout: io::stdout().lock(), left: false }
    }

    /// Whether nobody reads any more.
    pub(crate) fn left(&self) -> bool {
        self.left
    }

    /// Prints a value as JSON for people and programs.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *self, value)?;
        writeln!(self)
    }

    fn unless_left<T>(&mut self, done: io::Result<T>, instead: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.left = true;
                Ok(instead)
            }
            done => done,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left {
            return Ok(bytes.len());
        }
        let written = self.stdout.write(bytes);
        self.unless_left(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.stdout.flush();
        self.unless_left(flushed, ())
    }
}
