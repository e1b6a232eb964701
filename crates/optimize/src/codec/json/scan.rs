//! Finding JSON documents in a text, and walking them without building trees.

use std::ops::Range;

/// Deeper documents are left alone.
const DEPTH_MAX: usize = 256;

/// A document with more values than this is left alone: 16 bytes are kept of each.
const NODES_MAX: usize = 1 << 21;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    /// A string, number, boolean or null.
    Scalar,
}

/// A value, as it stands in the text; of an object, the values are keys and members in turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The node behind this one and all that it holds.
    pub(super) next: u32,
}

/// The values of one document, parents before children.
#[derive(Debug, Default)]
pub(super) struct Tape {
    nodes: Vec<Node>,
}

/// What may come next within a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
}

/// The objects and arrays that begin and end with a line, in order, none within another.
///
/// Tries in vain are paid from a budget in proportion to the text, so that a text full of openings
/// that never close costs no more than a few readings of it.
pub(super) fn documents(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut budget = 4 * bytes.len() + 1024;
    let mut line = 0;
    while line < bytes.len() {
        let start =
            line + bytes[line..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if matches!(bytes.get(start), Some(b'{' | b'[')) {
            match value_end(bytes, start) {
                Ok(end) if ends_line(bytes, end) => {
                    found.push(start..end);
                    line = end;
                }
                Ok(at) | Err(at) => {
                    let Some(left) = budget.checked_sub(at - start) else { break };
                    budget = left;
                }
            }
        }
        line = memchr::memchr(b'\n', &bytes[line..]).map_or(bytes.len(), |end| line + end + 1);
    }
    found
}

/// Copies a valid document without the white space between its tokens.
pub(super) fn minify(document: &str, into: &mut String) {
    let mut copied = 0;
    for gap in gaps(document) {
        into.push_str(&document[copied..gap.start]);
        copied = gap.end;
    }
    into.push_str(&document[copied..]);
}

/// Whether a valid document has no white space between its tokens.
pub(super) fn is_compact(document: &str) -> bool {
    gaps(document).next().is_none()
}

/// The white space between the tokens of a valid document.
fn gaps(document: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = document.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            match bytes.get(at)? {
                b'"' => at = string_end(bytes, at).unwrap_or(bytes.len()),
                b' ' | b'\t' | b'\n' | b'\r' => {
                    let start = at;
                    at += white_space(bytes, at);
                    return Some(start..at);
                }
                _ => at += 1,
            }
        }
    })
}

/// Where the value ends that begins at `start`; where it breaks off, if it is none.
pub(super) fn value_end(bytes: &[u8], start: usize) -> Result<usize, usize> {
    walk(bytes, start, &mut |_, _, _| Some(()))
}

fn ends_line(bytes: &[u8], end: usize) -> bool {
    let blanks =
        bytes[end..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
    matches!(bytes.get(end + blanks), None | Some(b'\n'))
}

fn white_space(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

/// A step of the walk: a value begins, or the innermost object or array ends.
enum Step {
    Begin(Kind),
    End,
}

/// Reads one value and tells `step` of all that it holds, with where it begins and ends; `None` from
/// it ends the walk. A container begins and ends in two steps.
fn walk(
    bytes: &[u8],
    start: usize,
    step: &mut dyn FnMut(Step, usize, usize) -> Option<()>,
) -> Result<usize, usize> {
    let mut open: Vec<bool> = Vec::new();
    let (mut at, mut expect) = (start, Expect::Value);
    loop {
        at += white_space(bytes, at);
        let byte = *bytes.get(at).ok_or(at)?;
        let is_object = open.last() == Some(&true);
        match (byte, expect) {
            (b'{' | b'[', Expect::Value | Expect::ValueOrEnd) if open.len() < DEPTH_MAX => {
                let object = byte == b'{';
                let kind = if object { Kind::Object } else { Kind::Array };
                step(Step::Begin(kind), at, at + 1).ok_or(at)?;
                open.push(object);
                expect = if object { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
                at += 1;
                continue;
            }
            (b'}', Expect::KeyOrEnd | Expect::CommaOrEnd) if is_object => {
                step(Step::End, at, at + 1).ok_or(at)?;
                open.pop();
                at += 1;
            }
            (b']', Expect::ValueOrEnd | Expect::CommaOrEnd) if !is_object => {
                step(Step::End, at, at + 1).ok_or(at)?;
                open.pop();
                at += 1;
            }
            (b',', Expect::CommaOrEnd) => {
                expect = if is_object { Expect::Key } else { Expect::Value };
                at += 1;
                continue;
            }
            (b'"', Expect::Key | Expect::KeyOrEnd) => {
                let end = string_end(bytes, at).ok_or(at)?;
                step(Step::Begin(Kind::Scalar), at, end).ok_or(at)?;
                at = end + white_space(bytes, end);
                if bytes.get(at) != Some(&b':') {
                    return Err(at);
                }
                expect = Expect::Value;
                at += 1;
                continue;
            }
            (_, Expect::Value | Expect::ValueOrEnd) => {
                let end = scalar_end(bytes, at).ok_or(at)?;
                step(Step::Begin(Kind::Scalar), at, end).ok_or(at)?;
                at = end;
            }
            _ => return Err(at),
        }
        if open.is_empty() {
            return Ok(at);
        }
        expect = Expect::CommaOrEnd;
    }
}

/// Where the string, number, `true`, `false` or `null` at `start` ends.
pub(super) fn scalar_end(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes.get(start)? {
        b'"' => string_end(bytes, start),
        b'-' | b'0'..=b'9' => number_end(bytes, start),
        _ => ["true", "false", "null"].into_iter().find_map(|word| {
            bytes[start..].starts_with(word.as_bytes()).then_some(start + word.len())
        }),
    }
}

fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match bytes.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' => {
                    bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                    at += 6;
                }
                _ => return None,
            },
            0..=0x1f => return None,
            _ => at += 1,
        }
    }
}

fn number_end(bytes: &[u8], start: usize) -> Option<usize> {
    let digits = |from: usize| {
        let count = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let whole = start + usize::from(bytes[start] == b'-');
    let mut at = if bytes.get(whole) == Some(&b'0') { whole + 1 } else { digits(whole)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = digits(at + 1 + sign)?;
    }
    Some(at)
}

// === impl Tape ===

impl Tape {
    /// Reads a document; `None` where it is none or has too many values.
    pub(super) fn read(document: &str) -> Option<Self> {
        u32::try_from(document.len()).ok()?;
        let mut nodes: Vec<Node> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let end = walk(document.as_bytes(), 0, &mut |step, start, end| {
            match step {
                Step::Begin(kind) => {
                    if kind != Kind::Scalar {
                        open.push(nodes.len());
                    }
                    let next = nodes.len() as u32 + 1;
                    nodes.push(Node { kind, start: start as u32, end: end as u32, next });
                }
                Step::End => {
                    let next = nodes.len() as u32;
                    let node = nodes.get_mut(open.pop()?)?;
                    (node.end, node.next) = (end as u32, next);
                }
            }
            (nodes.len() < NODES_MAX).then_some(())
        });
        (end == Ok(document.len())).then_some(Self { nodes })
    }

    pub(super) fn node(&self, index: u32) -> Node {
        self.nodes[index as usize]
    }

    /// The values directly inside `index`; of an object, keys and values in turn.
    pub(super) fn inside(&self, index: u32) -> impl Iterator<Item = u32> {
        let end = self.node(index).next;
        let mut at = index + 1;
        std::iter::from_fn(move || {
            let here = (at < end).then_some(at)?;
            at = self.node(here).next;
            Some(here)
        })
    }

    /// The members of an object.
    pub(super) fn members(&self, index: u32) -> impl Iterator<Item = (u32, u32)> {
        let mut inside = self.inside(index);
        std::iter::from_fn(move || Some((inside.next()?, inside.next()?)))
    }
}
