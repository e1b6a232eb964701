//! The members of a request, read with errors that say which one is wrong and what it should be.

use std::fmt::{Arguments, Display};

use farthing_core::id::ModelId;

use crate::json::{Json, Kind};
use crate::request::{MAX_ELEMENTS, RequestError};

/// Counts the elements of a request, whichever of its arrays they are in.
#[derive(Debug, Default)]
pub(crate) struct Elements(usize);

/// The body as a document.
pub(crate) fn document(body: &[u8]) -> Result<Json<'_>, RequestError> {
    let document = Json::parse(body)?;
    match document.kind() {
        Kind::Object => Ok(document),
        _ => Err(RequestError::NotAnObject { found: document.to_string() }),
    }
}

/// The model that is asked for.
pub(crate) fn model(value: Option<Json>) -> Result<ModelId, RequestError> {
    let value = required("model", value)?;
    let name = value.as_str().ok_or_else(|| RequestError::wrong("model", value, "a string"))?;
    Ok(ModelId::new(&name)?)
}

pub(crate) fn required<'a>(
    param: &'static str,
    value: Option<Json<'a>>,
) -> Result<Json<'a>, RequestError> {
    value.ok_or(RequestError::Missing { param })
}

pub(crate) fn flag(param: &str, value: Option<Json>) -> Result<bool, RequestError> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(false) };
    value.as_bool().ok_or_else(|| RequestError::wrong(param, value, "true, false or null"))
}

/// Checks that a value is an object.
pub(crate) fn object(path: impl Display, value: Json) -> Result<Json, RequestError> {
    match value.kind() {
        Kind::Object => Ok(value),
        _ => Err(RequestError::wrong(path, value, "an object")),
    }
}

/// The elements of an array.
pub(crate) fn array<'a>(
    path: Arguments,
    value: Json<'a>,
    expected: &'static str,
) -> Result<impl Iterator<Item = Json<'a>> + use<'a>, RequestError> {
    match value.kind() {
        Kind::Array => Ok(value.elements()),
        _ => Err(RequestError::wrong(path, value, expected)),
    }
}

// === impl Elements ===

impl Elements {
    /// Counts one more, in the array at `path`.
    pub(crate) fn add(&mut self, path: Arguments) -> Result<(), RequestError> {
        self.0 += 1;
        if self.0 > MAX_ELEMENTS {
            return Err(RequestError::TooMany { param: path.to_string() });
        }
        Ok(())
    }
}
