//! Lines of bounded length, out of whatever can be read.

use std::io::{self, Read};

use memchr::memchr;

/// Longer lines are skipped: no line of a log comes near.
pub(crate) const LINE_BYTES_MAX: usize = 64 << 20;

const CHUNK_BYTES: usize = 1 << 20;

/// A line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'b> {
    /// It can be read.
    Text(&'b [u8]),
    /// The file ends in it, without a line break: it may have been cut off.
    Last(&'b [u8]),
    /// It is longer than [`LINE_BYTES_MAX`].
    TooLong,
}

/// Gives each line of `input` to `each`, until that says stop.
///
/// Memory is bounded by the longest line, and by [`LINE_BYTES_MAX`].
///
/// # Errors
/// Where the input cannot be read; lines before that were given.
pub(crate) fn for_each_line(
    mut input: impl Read,
    mut each: impl FnMut(Line<'_>),
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    // What is in the buffer, and how much of that was searched for an end of line.
    let (mut filled, mut searched) = (0, 0);
    let mut too_long = false;
    loop {
        if filled == buffer.len() {
            if filled >= LINE_BYTES_MAX {
                too_long = true;
                (filled, searched) = (0, 0);
            } else {
                buffer.resize(buffer.len() * 2, 0);
            }
        }
        let read = match input.read(&mut buffer[filled..]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read == 0 {
            match (&buffer[..filled], too_long) {
                (_, true) => each(Line::TooLong),
                (rest, _) if rest.iter().all(u8::is_ascii_whitespace) => {}
                (rest, _) => each(Line::Last(rest)),
            }
            return Ok(());
        }
        filled += read;
        let mut start = 0;
        while let Some(end) = memchr(b'\n', &buffer[searched..filled]) {
            let end = searched + end;
            let line = &buffer[start..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            match std::mem::take(&mut too_long) {
                true => each(Line::TooLong),
                false if line.iter().all(u8::is_ascii_whitespace) => {}
                false => each(Line::Text(line)),
            }
            (start, searched) = (end + 1, end + 1);
        }
        buffer.copy_within(start..filled, 0);
        filled -= start;
        searched = filled;
    }
}
