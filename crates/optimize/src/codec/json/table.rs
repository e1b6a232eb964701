//! Arrays of objects as tables.

use std::borrow::Cow;

use super::scan::{Kind, Tape};
use super::shape::{self, Column, Shape};
use super::{each_document, read, scan};
use crate::codec::marker::{self, Verb};
use crate::codec::{Codec, estimate};

/// No tables are looked for deeper than this: each level is another reading of the document.
const DEPTH_MAX: usize = 16;

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
/// The head names the members once, with their value where it is the same in all rows: `state=open`
/// has no cells. A cell is JSON, or a string without its quotes where nothing in
/// it needs them; an empty cell is a member that is not there. Objects in cells have their members
/// in braces in the head, arrays of objects in brackets there and their rows, parted by `;`, in
/// brackets in the cell. An object whose members are objects alike is a table too: its head begins
/// with `by key:`, its rows with their keys; a member that repeats them, as `id:key`, has no cells.
/// A cell as the one above it, or an object or list whose cells all are, is written `^` where that is
/// shorter; the head says so. Tables stand where the arrays stood, within the rest of the document too.
///
/// Canonical form: the text itself. A document with white space between its tokens (which
/// [`Minify`](super::Minify) takes out before) is left alone.
#[derive(Clone, Copy, Debug)]
pub struct Table;

/// A shorter value is not worth looking above for it.
const DITTO_BYTES_MIN: usize = 8;

/// Cells that refer to the row above cost attention, so they have to save so many tokens.
const DITTOS_WORTH: usize = 4;

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
        let encoded = each_document(text, |document, into| {
            match Tape::read(document).filter(|_| scan::is_compact(document)) {
                Some(tape) => into.push_str(&written(document, tape)),
                None => into.push_str(document),
            }
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

/// A compact document with the tables that pay.
pub(super) fn written(document: &str, tape: Tape) -> String {
    let mut written = String::with_capacity(document.len());
    Writer { document, tape }.value(0, 0, &mut written);
    written
}

// === impl Writer ===

impl Writer<'_> {
    /// A value in its shortest form: as a table, or as JSON with the tables that pay within it.
    fn value(&self, value: u32, depth: usize, into: &mut String) {
        let start = into.len();
        match self.tape.node(value).kind {
            Kind::Scalar => return into.push_str(self.text(value)),
            _ if depth > DEPTH_MAX => return into.push_str(self.text(value)),
            Kind::Array => {
                into.push('[');
                for (index, element) in self.tape.inside(value).enumerate() {
                    if index > 0 {
                        into.push(',');
                    }
                    self.value(element, depth + 1, into);
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
                    self.value(member, depth + 1, into);
                }
                into.push('}');
            }
        }
        if let Some(table) = self.table(value)
            && estimate(&table) < estimate(&into[start..])
        {
            into.truncate(start);
            into.push_str(&table);
        }
    }

    /// An array or object as a table, if it has rows that are alike.
    fn table(&self, value: u32) -> Option<String> {
        let keyed = self.tape.node(value).kind == Kind::Object;
        let members: Vec<(u32, u32)> =
            if keyed { self.tape.members(value).collect() } else { Vec::new() };
        let rows: Vec<u32> = match keyed {
            true => members.iter().map(|(_, row)| *row).collect(),
            false => self.tape.inside(value).collect(),
        };
        let shape = match rows.len() {
            0 | 1 => Shape::Value,
            _ => shape::common(self.document, &self.tape, &rows, 0),
        };
        let shape = match keyed {
            true => shape::keyed(shape, self.document, &self.tape, &members),
            false => shape,
        };
        if shape == Shape::Value {
            return None;
        }
        let head = |dittos: &str| {
            let mut head = [marker::OPEN, Verb::Table.word(), dittos].concat();
            head.push_str(if keyed { shape::KEYED } else { "" });
            shape.write_head(&mut head);
            head
        };
        let plain = [head("").as_str(), &self.rows(&rows, &members, &shape, false), "]"].concat();
        let dittos = self.rows(&rows, &members, &shape, true);
        let dittos = [head(shape::DITTOS).as_str(), &dittos, "]"].concat();
        Some(if estimate(&dittos) + DITTOS_WORTH < estimate(&plain) { dittos } else { plain })
    }

    /// The rows of a table; of an object, `members` are their keys.
    fn rows(&self, rows: &[u32], members: &[(u32, u32)], shape: &Shape, dittos: bool) -> String {
        let mut written = String::new();
        let mut above = None;
        for (index, row) in rows.iter().enumerate() {
            written.push('\n');
            if let Some((key, _)) = members.get(index) {
                written.push_str(shape::bare_key(self.text(*key)));
                written.push(':');
            }
            self.cell(*row, above, shape, &mut written);
            above = Some(*row).filter(|_| dittos);
        }
        written
    }

    /// A value of this shape; the members of an object are cells of their own. `above` is what
    /// stands in its place in the row before.
    fn cell(&self, value: u32, above: Option<u32>, shape: &Shape, into: &mut String) {
        let text = self.text(value);
        let repeats = above.is_some_and(|above| self.text(above) == text);
        if repeats && text.len() >= DITTO_BYTES_MIN && shape.has_cells() {
            return into.push(shape::DITTO);
        }
        match shape {
            Shape::Value => into.push_str(shape::bare_cell(text)),
            Shape::Constant(_) | Shape::Key => {}
            Shape::List(element) => {
                let mut above = above.into_iter().flat_map(|above| self.tape.inside(above));
                into.push('[');
                for (index, row) in self.tape.inside(value).enumerate() {
                    if index > 0 {
                        into.push(';');
                    }
                    self.cell(row, above.next(), element, into);
                }
                into.push(']');
            }
            Shape::Object(columns) => self.cells(value, above, columns, into),
        }
    }

    fn cells(&self, value: u32, above: Option<u32>, columns: &[Column], into: &mut String) {
        let mut members = self.tape.members(value).peekable();
        let mut above = above.into_iter().flat_map(|above| self.tape.members(above)).peekable();
        let mut first = true;
        for column in columns {
            // A sign in the first cell would be that of the whole object.
            let leads = column.shape.has_cells() && std::mem::take(&mut first);
            if column.shape.has_cells() && !leads {
                into.push(',');
            }
            let above = above.next_if(|(key, _)| self.text(*key) == column.key);
            let above = above.filter(|_| !leads);
            let here = members.next_if(|(key, _)| self.text(*key) == column.key);
            if let Some((_, member)) = here {
                self.cell(member, above.map(|(_, member)| member), &column.shape, into);
            }
        }
    }

    fn text(&self, value: u32) -> &str {
        shape::text(self.document, &self.tape, value)
    }
}
