//! The beginning, the end and the errors of a large output.

use std::collections::BTreeSet;

use super::left_out;

/// How much of a large output is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Lines at the beginning.
    pub head_lines: usize,
    /// Lines at the end.
    pub tail_lines: usize,
    /// Lines in between that tell of an error, each with the one before and the one after it.
    pub error_lines: usize,
    /// A longer line is cut in its middle.
    pub line_bytes_max: usize,
}

/// What tools call what went wrong, in lower case.
const ERRORS: [&str; 10] = [
    "error",
    "fail",
    "panic",
    "exception",
    "traceback",
    "fatal",
    "assert",
    "denied",
    "warning:",
    "undefined",
];

/// `text` without its middle, which is kept under `handle`; `None` where that would not be shorter.
/// What is left is left byte for byte and in order, with a marker wherever something was taken out.
pub fn excerpt(text: &str, keep: Excerpt, handle: &str) -> Option<String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let tail = lines.len().saturating_sub(keep.tail_lines);
    let mut kept: BTreeSet<usize> = (0..keep.head_lines.min(lines.len())).collect();
    kept.extend(tail..lines.len());
    let middle = keep.head_lines.min(tail)..tail;
    let errors = middle.filter(|line| is_error(lines[*line])).take(keep.error_lines);
    for line in errors {
        kept.extend(line.saturating_sub(1)..(line + 2).min(lines.len()));
    }
    let mut excerpt = String::new();
    let mut next = 0;
    for line in kept.into_iter().chain([lines.len()]) {
        if line > next {
            let left = if line - next == 1 {
                "1 line".to_owned()
            } else {
                format!("{} lines", line - next)
            };
            excerpt.push_str(&left_out(&left, handle));
            excerpt.push('\n');
        }
        if let Some(line) = lines.get(line) {
            push_line(line, keep.line_bytes_max, handle, &mut excerpt);
        }
        next = line + 1;
    }
    excerpt.pop();
    (excerpt.len() < text.len()).then_some(excerpt)
}

fn is_error(line: &str) -> bool {
    // Only the beginning of a line is looked at: a message says soon what it is.
    let head = line[..line.floor_char_boundary(300)].to_ascii_lowercase();
    ERRORS.iter().any(|error| head.contains(error))
}

fn push_line(line: &str, bytes_max: usize, handle: &str, into: &mut String) {
    let head = line.floor_char_boundary(bytes_max / 2);
    let tail = line.ceil_char_boundary(line.len().saturating_sub(bytes_max / 2));
    let marker = left_out(&format!("{} bytes", tail.saturating_sub(head)), handle);
    if head + marker.len() < tail {
        into.push_str(&line[..head]);
        into.push_str(&marker);
        into.push_str(&line[tail..]);
    } else {
        into.push_str(line);
    }
    into.push('\n');
}
