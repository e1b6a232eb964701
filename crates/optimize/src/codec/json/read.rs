//! Tables back into arrays of objects.

use memchr::memmem;

use super::scan;
use super::shape::{self, Column, Shape};
use crate::codec::marker::{OPEN, Verb};

/// The most bytes that decoding may write.
const DECODED_MAX: usize = 1 << 28;

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
        let keyed = self.text[self.at..].starts_with(shape::KEYED);
        self.at += if keyed { shape::KEYED.len() } else { 0 };
        let shape = match self.peek() {
            Some(b'[') => self.shape(0)?,
            _ => Shape::Object(self.columns(0)?),
        };
        into.push(if keyed { '{' } else { '[' });
        let mut first = true;
        while self.take(b'\n') {
            if !std::mem::take(&mut first) {
                into.push(',');
            }
            if keyed {
                self.row = self.key()?;
                into.push_str(&self.row);
                into.push(':');
                self.expect(b':')?;
            }
            self.cell(&shape, into)?;
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
        if self.text[self.at..].starts_with(shape::IS_KEY) {
            self.at += shape::IS_KEY.len();
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

    fn cell(&mut self, shape: &Shape, into: &mut String) -> Option<()> {
        match shape {
            Shape::Value => self.value(into),
            Shape::Constant(value) => {
                into.push_str(value);
                Some(())
            }
            Shape::Key => {
                into.push_str(&self.row);
                Some(())
            }
            Shape::List(element) => {
                self.expect(b'[')?;
                into.push('[');
                let mut first = true;
                while self.peek() != Some(b']') {
                    if !std::mem::take(&mut first) {
                        self.expect(b';')?;
                        into.push(',');
                    }
                    self.cell(element, into)?;
                }
                into.push(']');
                self.expect(b']')
            }
            Shape::Object(columns) => {
                into.push('{');
                self.members(columns, into)?;
                into.push('}');
                Some(())
            }
        }
    }

    fn members(&mut self, columns: &[Column], into: &mut String) -> Option<()> {
        let (mut first, mut first_cell) = (true, true);
        for column in columns {
            if column.shape.has_cells() && !std::mem::take(&mut first_cell) {
                self.expect(b',')?;
            }
            let absent = matches!(self.peek(), None | Some(b',' | b';' | b']' | b'\n'));
            if absent && matches!(column.shape, Shape::Value | Shape::List(_)) {
                continue;
            }
            if !std::mem::take(&mut first) {
                into.push(',');
            }
            into.push_str(&column.key);
            into.push(':');
            self.cell(&column.shape, into)?;
        }
        Some(())
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

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }
}
