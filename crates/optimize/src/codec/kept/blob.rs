//! Long runs of base64 or hexadecimal digits: nothing that a model can read.

use std::ops::Range;

/// Shorter runs are left alone: hashes, keys and ids are as long, and models use them.
const BYTES_MIN: usize = 256;

/// What a blob is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobKind {
    /// `data:image/png;base64,...`, its head included.
    DataUri,
    /// Letters, digits, `+` and `/` (or `-` and `_`), in one run or in lines of one length.
    Base64,
    /// Digits and `a` to `f` only.
    Hex,
}

/// A run of bytes in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Where it stands.
    pub span: Range<usize>,
    /// What it is written in.
    pub kind: BlobKind,
}

/// The blobs of `text`, in order. Words, paths and names are told from base64 by what they lack:
/// base64 of any length has digits, small and capital letters, and few separators.
pub fn find_blobs(text: &str) -> Vec<Blob> {
    let bytes = text.as_bytes();
    let mut blobs = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !is_digit(bytes[at]) {
            at += 1;
            continue;
        }
        let end = run_end(bytes, at);
        if end - at >= BYTES_MIN
            && let Some(kind) = kind(&bytes[at..end])
        {
            let head = data_uri_head(text, at);
            let kind = if head < at { BlobKind::DataUri } else { kind };
            blobs.push(Blob { span: head..end, kind });
        }
        at = end;
    }
    blobs
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Where the run ends that begins at `at`: padding belongs to it, and so do the following lines
/// where it is wrapped, all but the last of one length.
fn run_end(bytes: &[u8], start: usize) -> usize {
    let line_end =
        |from: usize| from + bytes[from..].iter().take_while(|byte| is_digit(**byte)).count();
    let mut end = line_end(start);
    let width = end - start;
    while width >= 60 && bytes.get(end) == Some(&b'\n') {
        let next = line_end(end + 1);
        let length = next - end - 1;
        if length == 0 || length > width {
            break;
        }
        end = next;
        if length < width {
            break;
        }
    }
    end + bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count()
}

fn kind(run: &[u8]) -> Option<BlobKind> {
    let count = |is: fn(&u8) -> bool| run.iter().filter(|byte| is(byte)).count();
    let hex = count(u8::is_ascii_hexdigit) + count(|byte| *byte == b'\n');
    let digits = count(u8::is_ascii_digit);
    if hex == run.len() {
        return (digits * 8 > run.len() && digits < run.len()).then_some(BlobKind::Hex);
    }
    // Each kind of digit makes a sixth to two fifths of random base64; paths and prose are far off.
    let upper = count(u8::is_ascii_uppercase);
    let lower = count(u8::is_ascii_lowercase);
    let marks = run.len() - digits - upper - lower;
    let enough = |part: usize, of: usize| part * of >= run.len();
    (enough(digits, 16) && enough(upper, 6) && enough(lower, 6) && !enough(marks, 8))
        .then_some(BlobKind::Base64)
}

/// Where the `data:` of a data URI begins whose data begins at `at`; `at` itself, if it is none.
fn data_uri_head(text: &str, at: usize) -> usize {
    let before = &text[..at];
    let window = &before[text.floor_char_boundary(at.saturating_sub(100))..];
    if !window.ends_with(";base64,") {
        return at;
    }
    window.rfind("data:").map_or(at, |head| at - window.len() + head)
}
