//! Arrays of objects as tables.

use std::borrow::Cow;

use super::scan::{Kind, Tape};
use super::shape::{self, Shape};
use super::{each_document, read};
use crate::codec::marker::{self, Verb};
use crate::codec::{Codec, estimate};

/// Writes arrays of objects as tables, where that is smaller than compact JSON.
///
/// ```text
/// [{"id":1,"at":{"x":0,"y":1.50}},{"id":2,"at":{"x":4,"y":2},"tag":"new"}]
/// ```
///
/// becomes
///
/// ```text
/// [§ table id,at{x,y},tag
/// 1,0,1.50,
/// 2,4,2,new]
/// ```
///
/// The head names the members once. A cell is JSON, or a string without its quotes where nothing in
/// it needs them; an empty cell is a member that is not there. Objects in cells have their members
/// in braces in the head, arrays of objects in brackets there and their rows, parted by `;`, in
/// brackets in the cell. Tables stand where the arrays stood, within the rest of the document too.
///
/// Canonical form: the text itself. It is left alone where it has white space in its JSON (which
/// [`Minify`](super::Minify) takes out before).
#[derive(Clone, Copy, Debug)]
pub struct Table;

/// A document on its way into tables.
struct Writer<'d> {
    document: &'d str,
    tape: Tape,
}

// === impl Table ===

impl Codec for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn encode(&self, text: &str) -> Option<String> {
        if marker::has(text, &[Verb::Table]) || !text.contains("{\"") {
            return None;
        }
        let encoded = each_document(text, |document, into| match Tape::read(document) {
            Some(tape) => Writer { document, tape }.value(0, into),
            None => into.push_str(document),
        })?;
        (self.decode(&encoded).as_deref() == Some(text)).then_some(encoded)
    }

    fn decode(&self, text: &str) -> Option<String> {
        read::tables(text)
    }

    fn canonical<'t>(&self, text: &'t str) -> Cow<'t, str> {
        Cow::Borrowed(text)
    }
}

// === impl Writer ===

impl Writer<'_> {
    /// A value with the tables that pay within it. Recursion is bounded by the scanner's depth.
    fn value(&self, value: u32, into: &mut String) {
        let node = self.tape.node(value);
        match node.kind {
            Kind::Scalar => into.push_str(self.text(value)),
            Kind::Array => {
                if self.table(value, into) {
                    return;
                }
                into.push('[');
                for (index, element) in self.tape.inside(value).enumerate() {
                    if index > 0 {
                        into.push(',');
                    }
                    self.value(element, into);
                }
                into.push(']');
            }
            Kind::Object => {
                into.push('{');
                for (index, (key, member)) in self.tape.members(value).enumerate() {
                    if index > 0 {
                        into.push(',');
                    }
                    into.push_str(self.text(key));
                    into.push(':');
                    self.value(member, into);
                }
                into.push('}');
            }
        }
    }

    /// Writes an array as a table, if that is smaller.
    fn table(&self, array: u32, into: &mut String) -> bool {
        let rows: Vec<u32> = self.tape.inside(array).collect();
        let shape = match rows.len() {
            0 | 1 => Shape::Value,
            _ => shape::common(self.document, &self.tape, &rows, 0),
        };
        if shape == Shape::Value {
            return false;
        }
        let start = into.len();
        into.push_str(marker::OPEN);
        into.push_str(Verb::Table.word());
        shape.write_head(into);
        for row in rows {
            into.push('\n');
            self.cell(row, &shape, into);
        }
        into.push(']');
        let smaller = estimate(&into[start..]) < estimate(self.text(array));
        if !smaller {
            into.truncate(start);
        }
        smaller
    }

    /// A value of this shape; the members of an object are cells of their own.
    fn cell(&self, value: u32, shape: &Shape, into: &mut String) {
        match shape {
            Shape::Value => {
                let text = self.text(value);
                let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                into.push_str(inner.filter(|inner| shape::is_bare_cell(inner)).unwrap_or(text));
            }
            Shape::List(element) => {
                into.push('[');
                for (index, row) in self.tape.inside(value).enumerate() {
                    if index > 0 {
                        into.push(';');
                    }
                    self.cell(row, element, into);
                }
                into.push(']');
            }
            Shape::Object(columns) => {
                let mut members = self.tape.members(value).peekable();
                for (index, column) in columns.iter().enumerate() {
                    if index > 0 {
                        into.push(',');
                    }
                    let here = members.next_if(|(key, _)| self.text(*key) == column.key);
                    if let Some((_, member)) = here {
                        self.cell(member, &column.shape, into);
                    }
                }
            }
        }
    }

    fn text(&self, value: u32) -> &str {
        shape::text(self.document, &self.tape, value)
    }
}
