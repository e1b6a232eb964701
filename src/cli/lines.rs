//! JSON lines: one line of output for each line of input, whatever that is.

use std::io::{self, BufRead, Read, Write};

use farthing_core::pricing::CostStatus;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::print::Output;

/// Longer lines are not read.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Why a line has no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// It is not what was asked for.
    Malformed(String),
    /// It was understood.
    Because(Option<CostStatus>, String),
}

/// What each line is asked for first, so that whatever is wrong with it can be told by name.
#[derive(Deserialize)]
struct Named<'l> {
    #[serde(borrow, default)]
    id: Option<&'l RawValue>,
}

#[derive(Serialize)]
struct Answer<'l, T> {
    id: Option<&'l RawValue>,
    #[serde(flatten)]
    answer: T,
}

#[derive(Serialize)]
struct Error<'l> {
    id: Option<&'l RawValue>,
    /// For a line without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<CostStatus>,
    error: String,
}

/// Answers every line of `input` in `out`, one at a time, and says how many were malformed.
///
/// # Errors
/// Where the input cannot be read, or the output not be written.
pub(super) fn answer_each<T: Serialize>(
    mut input: impl BufRead,
    out: &mut Output,
    answer: impl Fn(&str) -> Result<T, Unanswered>,
) -> io::Result<u64> {
    let (mut buffer, mut malformed) = (Vec::new(), 0);
    for number in 1.. {
        let Some(line) = next_line(&mut input, &mut buffer)? else { break };
        let named = line.and_then(|line| {
            let named = serde_json::from_str::<Named>(line);
            let named = named
                .map_err(|error| format!("the line is not a JSON object: {}", told(&error)))?;
            Ok((line, named.id))
        });
        let (id, answered) = match named {
            Ok((line, id)) => (id, answer(line)),
            Err(reason) => (None, Err(Unanswered::Malformed(reason))),
        };
        match answered {
            Ok(answer) => serde_json::to_writer(&mut *out, &Answer { id, answer })?,
            Err(unanswered) => {
                let (status, error) = match unanswered {
                    Unanswered::Malformed(reason) => {
                        malformed += 1;
                        (None, reason)
                    }
                    Unanswered::Because(status, reason) => (status, reason),
                };
                let line = id.is_none().then_some(number);
                serde_json::to_writer(&mut *out, &Error { id, line, status, error })?;
            }
        }
        writeln!(out)?;
        if out.left() {
            break;
        }
    }
    Ok(malformed)
}

impl From<serde_json::Error> for Unanswered {
    fn from(error: serde_json::Error) -> Unanswered {
        Unanswered::Malformed(told(&error))
    }
}

/// What is wrong with a line of JSON, and where in it.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    format!("{what} at column {}", error.column())
}

/// The next line, without its end; what is wrong with it, where it cannot be read as text.
fn next_line<'b>(
    input: &mut impl BufRead,
    buffer: &'b mut Vec<u8>,
) -> io::Result<Option<Result<&'b str, String>>> {
    buffer.clear();
    let limit = LINE_BYTES_MAX as u64 + 1;
    if input.by_ref().take(limit).read_until(b'\n', buffer)? == 0 {
        return Ok(None);
    }
    if buffer.len() > LINE_BYTES_MAX && buffer.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
        return Ok(Some(Err(format!("the line is longer than {} MiB", LINE_BYTES_MAX >> 20))));
    }
    Ok(Some(str::from_utf8(buffer).map_err(|_| "the line is not UTF-8 text".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_one_read() {
        let mut input = vec![b'x'; LINE_BYTES_MAX + 5];
        input.extend_from_slice(b"\n{}\nlast");
        let (mut input, mut buffer) = (input.as_slice(), Vec::new());
        let mut next =
            || next_line(&mut input, &mut buffer).unwrap().map(|line| line.map(str::to_owned));
        assert_eq!(next(), Some(Err("the line is longer than 64 MiB".to_owned())));
        assert_eq!(next(), Some(Ok("{}\n".to_owned())));
        assert_eq!(next(), Some(Ok("last".to_owned())));
        assert_eq!(next(), None);
    }
}
