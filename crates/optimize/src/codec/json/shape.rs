//! What the elements of an array have in common.

use super::scan::{Kind, Tape};

/// Nested deeper than this, a value is written as JSON.
pub(super) const DEPTH_MAX: usize = 8;

/// More columns than this are no table.
const COLUMNS_MAX: usize = 64;

/// What the head of a table begins with whose rows are the members of an object.
pub(super) const KEYED: &str = "by key: ";

/// What the head of a table begins with where cells say that they are as those above.
pub(super) const DITTOS: &str = "^ as above: ";

/// A cell that is as the one above it, or an object or list whose cells all are.
pub(super) const DITTO: char = '^';

/// What stands in a head behind a member that repeats the key of its row.
pub(super) const IS_KEY: &str = ":key";

/// How a cell is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// As one value, whatever it is.
    Value,
    /// As nothing: it is the same in every row, so the head says it, spelled as in the document.
    Constant(String),
    /// As nothing: it is the key of the row, said once more.
    Key,
    /// An object, its members as cells of the same row. One of them at least is no constant.
    Object(Vec<Column>),
    /// An array whose elements all have this shape.
    List(Box<Shape>),
}

/// A member that the objects of a table have, in the order in which they have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Spelled as in the document, with its quotes.
    pub(super) key: String,
    pub(super) shape: Shape,
}

/// The shape of all of `values`; [`Shape::Value`] where they have nothing in common.
pub(super) fn common(document: &str, tape: &Tape, values: &[u32], depth: usize) -> Shape {
    let are = |kind| values.iter().all(|value| tape.node(*value).kind == kind);
    if depth >= DEPTH_MAX || values.is_empty() {
        return Shape::Value;
    }
    if are(Kind::Object) {
        return columns(document, tape, values, depth).map_or(Shape::Value, Shape::Object);
    }
    if are(Kind::Array) {
        let elements: Vec<u32> = values.iter().flat_map(|value| tape.inside(*value)).collect();
        return match common(document, tape, &elements, depth + 1) {
            Shape::Value => Shape::Value,
            shape => Shape::List(Box::new(shape)),
        };
    }
    Shape::Value
}

/// The members of all of `objects` in one order that suits each of them. There is none where an
/// object is empty, names a member twice, or has two members the other way round than another.
fn columns(document: &str, tape: &Tape, objects: &[u32], depth: usize) -> Option<Vec<Column>> {
    let mut columns: Vec<(&str, Vec<u32>)> = Vec::new();
    for object in objects {
        let mut at = 0;
        for (key, value) in tape.members(*object) {
            let key = text(document, tape, key);
            match columns.iter().position(|(known, _)| *known == key) {
                Some(known) if known >= at => at = known,
                Some(_) => return None,
                None if columns.len() == COLUMNS_MAX => return None,
                None => columns.insert(at, (key, Vec::new())),
            }
            columns[at].1.push(value);
            at += 1;
        }
        if at == 0 {
            return None;
        }
    }
    let columns = columns.into_iter().map(|(key, values)| {
        // A cell that is left empty is a member that is not there, so an object in its place that
        // has cells of its own has to be there in every row.
        let everywhere = values.len() == objects.len();
        let constant = constant(document, tape, &values).filter(|_| everywhere);
        let shape = match constant.unwrap_or_else(|| common(document, tape, &values, depth + 1)) {
            Shape::Object(_) if !everywhere => Shape::Value,
            shape => shape,
        };
        Column { key: key.to_owned(), shape }
    });
    Some(with_cells(columns.collect()))
}

/// The shape of rows whose members may repeat the rows' keys.
pub(super) fn keyed(shape: Shape, document: &str, tape: &Tape, rows: &[(u32, u32)]) -> Shape {
    let Shape::Object(mut columns) = shape else { return shape };
    for column in &mut columns {
        let repeats = |(key, row): &(u32, u32)| {
            let same = |name, value| {
                text(document, tape, name) == column.key
                    && text(document, tape, value) == text(document, tape, *key)
            };
            tape.members(*row).any(|(name, value)| same(name, value))
        };
        if column.shape == Shape::Value && rows.iter().all(repeats) {
            column.shape = Shape::Key;
        }
    }
    Shape::Object(with_cells(columns))
}

/// What these values are, if they are all spelled alike.
fn constant(document: &str, tape: &Tape, values: &[u32]) -> Option<Shape> {
    let mut texts = values.iter().map(|value| text(document, tape, *value));
    let first = texts.next()?;
    let alike = values.len() > 1 && texts.all(|text| text == first);
    alike.then(|| Shape::Constant(first.to_owned()))
}

/// A row has something to show, so where all is constant, nothing is.
fn with_cells(mut columns: Vec<Column>) -> Vec<Column> {
    if !columns.iter().any(|column| column.shape.has_cells()) {
        columns.iter_mut().for_each(|column| column.shape = Shape::Value);
    }
    columns
}

/// A value as the document spells it.
pub(super) fn text<'d>(document: &'d str, tape: &Tape, value: u32) -> &'d str {
    let node = tape.node(value);
    &document[node.start as usize..node.end as usize]
}

// === impl Shape ===

impl Shape {
    /// Whether a row has cells for it.
    pub(super) fn has_cells(&self) -> bool {
        !matches!(self, Self::Constant(_) | Self::Key)
    }

    /// The head of a table: `a,b,c{d,e},f[g,h],i=1,j:key`.
    pub(super) fn write_head(&self, head: &mut String) {
        match self {
            Self::Value => {}
            Self::Key => head.push_str(IS_KEY),
            Self::Constant(value) => {
                head.push('=');
                head.push_str(bare_cell(value));
            }
            Self::Object(columns) => {
                for (index, column) in columns.iter().enumerate() {
                    if index > 0 {
                        head.push(',');
                    }
                    column.write_head(head);
                }
            }
            Self::List(element) => {
                head.push('[');
                element.write_head(head);
                head.push(']');
            }
        }
    }
}

// === impl Column ===

impl Column {
    fn write_head(&self, head: &mut String) {
        head.push_str(bare_key(&self.key));
        match &self.shape {
            Shape::Value | Shape::Constant(_) | Shape::Key | Shape::List(_) => {
                self.shape.write_head(head)
            }
            Shape::Object(_) => {
                head.push('{');
                self.shape.write_head(head);
                head.push('}');
            }
        }
    }
}

/// A key without its quotes, where it needs none in a head.
pub(super) fn bare_key(key: &str) -> &str {
    let bare = key.trim_matches('"');
    let is_bare = !bare.is_empty() && bare.bytes().all(is_bare_key_byte);
    if is_bare { bare } else { key }
}

pub(super) fn is_bare_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$' | b'@' | b'/')
}

/// A value as a cell says it: a string without its quotes, where it needs none.
pub(super) fn bare_cell(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    inner.filter(|inner| is_bare_cell(inner)).unwrap_or(value)
}

/// Whether a string may stand in a cell without its quotes: nothing in it means something else
/// there, and nobody can take it for a number, `true`, `false` or `null`.
pub(super) fn is_bare_cell(text: &str) -> bool {
    let special = |c: char| {
        matches!(c, ',' | ';' | '[' | ']' | '{' | '}' | '"' | '\\' | '§') || c.is_control()
    };
    let scalar = super::scan::scalar_end(text.as_bytes(), 0);
    !text.starts_with(DITTO)
        && !text.is_empty()
        && text.trim() == text
        && !text.contains(special)
        && scalar != Some(text.len())
}
