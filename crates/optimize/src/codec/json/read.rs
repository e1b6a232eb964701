//! Tables back into arrays of objects.

use std::ops::Range;
use std::rc::Rc;

use memchr::memmem;

use super::scan;
use super::shape::{self, Column, Shape};
use crate::codec::marker::{OPEN, Verb};

/// The most bytes that decoding may write.
const DECODED_MAX: usize = 1 << 28;

/// What was read of a row, for the row below that refers to it.
struct Seen {
    /// Its bytes in what is decoded.
    at: Range<usize>,
    /// The elements of a list, or the members of an object by column; `None` where one is absent.
    inside: Vec<Option<Rc<Seen>>>,
}

/// Reads one table.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// The key of the row, as JSON.
    row: String,
}

/// `text` with its tables as JSON; `None` where it has none, or one that is broken.
pub(super) fn tables(text: &str) -> Option<String> {
    let open = [OPEN, Verb::Table.word()].concat();
    let mut decoded = String::with_capacity(2 * text.len());
    let mut copied = 0;
    while let Some(at) = memmem::find(&text.as_bytes()[copied..], open.as_bytes()) {
        let start = copied + at;
        decoded.push_str(&text[copied..start]);
        let mut reader = Reader { text, at: start + open.len(), row: String::new() };
        reader.table(&mut decoded)?;
        copied = reader.at;
    }
    decoded.push_str(&text[copied..]);
    (copied > 0).then_some(decoded)
}

// === impl Reader ===

impl<'t> Reader<'t> {
    fn table(&mut self, into: &mut String) -> Option<()> {
        self.take_all(shape::DITTOS);
        let keyed = self.take_all(shape::KEYED);
        let shape = match self.peek() {
            Some(b'[') => self.shape(0)?,
            _ => Shape::Object(self.columns(0)?),
        };
        into.push(if keyed { '{' } else { '[' });
        let mut above: Option<Rc<Seen>> = None;
        while self.take(b'\n') {
            if above.is_some() {
                into.push(',');
            }
            if keyed {
                self.row = self.key()?;
                into.push_str(&self.row);
                into.push(':');
                self.expect(b':')?;
            }
            above = Some(self.cell(&shape, above.as_deref(), into)?);
            if into.len() > DECODED_MAX {
                return None;
            }
        }
        into.push(if keyed { '}' } else { ']' });
        self.expect(b']')
    }

    /// What stands behind a key in a head: nothing, `=value`, `:key`, `{columns}` or `[element]`.
    fn shape(&mut self, depth: usize) -> Option<Shape> {
        if depth > 4 * shape::DEPTH_MAX {
            return None;
        }
        if self.take_all(shape::IS_KEY) {
            return Some(Shape::Key);
        }
        if self.take(b'=') {
            let mut value = String::new();
            self.value(&mut value)?;
            return Some(Shape::Constant(value));
        }
        if self.take(b'{') {
            let columns = self.columns(depth)?;
            self.expect(b'}')?;
            return Some(Shape::Object(columns));
        }
        if self.take(b'[') {
            let element = match self.peek() {
                Some(b'[') => self.shape(depth + 1)?,
                _ => Shape::Object(self.columns(depth + 1)?),
            };
            self.expect(b']')?;
            return Some(Shape::List(Box::new(element)));
        }
        Some(Shape::Value)
    }

    fn columns(&mut self, depth: usize) -> Option<Vec<Column>> {
        let mut columns = Vec::new();
        loop {
            let key = self.key()?;
            let shape = self.shape(depth + 1)?;
            columns.push(Column { key, shape });
            if !self.take(b',') {
                return Some(columns);
            }
        }
    }

    fn key(&mut self) -> Option<String> {
        if self.peek() == Some(b'"') {
            return self.scalar().map(str::to_owned);
        }
        let start = self.at;
        while self.peek().is_some_and(shape::is_bare_key_byte) {
            self.at += 1;
        }
        let key = &self.text[start..self.at];
        (!key.is_empty()).then(|| format!("\"{key}\""))
    }

    /// Reads a cell, or the cells of an object. `above` is what stood in its place in the row before.
    fn cell(&mut self, shape: &Shape, above: Option<&Seen>, into: &mut String) -> Option<Rc<Seen>> {
        let start = into.len();
        let mut inside = Vec::new();
        if shape.has_cells() && self.take(shape::DITTO as u8) {
            let Seen { at, inside } = above?;
            into.extend_from_within(at.clone());
            return Some(Rc::new(Seen { at: at.clone(), inside: inside.clone() }));
        }
        match shape {
            Shape::Value => self.value(into)?,
            Shape::Constant(value) => into.push_str(value),
            Shape::Key => into.push_str(&self.row),
            Shape::List(element) => {
                self.expect(b'[')?;
                into.push('[');
                while self.peek() != Some(b']') {
                    if !inside.is_empty() {
                        self.expect(b';')?;
                        into.push(',');
                    }
                    let above = above.and_then(|above| above.inside.get(inside.len())?.as_deref());
                    inside.push(Some(self.cell(element, above, into)?));
                }
                into.push(']');
                self.expect(b']')?;
            }
            Shape::Object(columns) => {
                into.push('{');
                inside = self.members(columns, above, into)?;
                into.push('}');
            }
        }
        Some(Rc::new(Seen { at: start..into.len(), inside }))
    }

    fn members(
        &mut self,
        columns: &[Column],
        above: Option<&Seen>,
        into: &mut String,
    ) -> Option<Vec<Option<Rc<Seen>>>> {
        let (mut first, mut first_cell) = (true, true);
        let mut seen = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            if column.shape.has_cells() && !std::mem::take(&mut first_cell) {
                self.expect(b',')?;
            }
            let absent = matches!(self.peek(), None | Some(b',' | b';' | b']' | b'\n'));
            if absent && matches!(column.shape, Shape::Value | Shape::List(_)) {
                seen.push(None);
                continue;
            }
            if !std::mem::take(&mut first) {
                into.push(',');
            }
            into.push_str(&column.key);
            into.push(':');
            let above = above.and_then(|above| above.inside.get(index)?.as_deref());
            seen.push(Some(self.cell(&column.shape, above, into)?));
        }
        Some(seen)
    }

    /// JSON as it is, or a string that stands without its quotes.
    fn value(&mut self, into: &mut String) -> Option<()> {
        if matches!(self.peek(), Some(b'"' | b'{' | b'[')) {
            into.push_str(self.scalar()?);
            return Some(());
        }
        let rest = &self.text[self.at..];
        let end = rest.find([',', ';', ']', '}', '\n'])?;
        let cell = &rest[..end];
        self.at += end;
        if scan::scalar_end(cell.as_bytes(), 0) == Some(cell.len()) {
            into.push_str(cell);
            return Some(());
        }
        into.push('"');
        into.push_str(cell);
        into.push('"');
        shape::is_bare_cell(cell).then_some(())
    }

    /// A value that says itself where it ends.
    fn scalar(&mut self) -> Option<&'t str> {
        let end = scan::value_end(self.text.as_bytes(), self.at).ok()?;
        let value = &self.text[self.at..end];
        self.at = end;
        Some(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    fn take_all(&mut self, word: &str) -> bool {
        let here = self.text[self.at..].starts_with(word);
        self.at += if here { word.len() } else { 0 };
        here
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }
}
