//! The members of a request, read with errors that say which one is wrong and what it should be.

use std::fmt::{Arguments, Display};

use farthing_core::id::ModelId;
use farthing_core::prompt::CacheMarker;
use farthing_core::usage::CacheTtl;

use crate::json::{Json, Kind, pick};
use crate::request::{MAX_ELEMENTS, MAX_TAGS, RequestError};

/// Counts the elements of a request, whichever of its arrays they are in.
#[derive(Debug, Default)]
pub(crate) struct Elements(usize);

/// The breakpoints of a request, as they are come upon.
#[derive(Debug, Default)]
pub(crate) struct CacheMarkers(Vec<CacheMarker>);

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

/// A whole number of at least 1, where there is one.
pub(crate) fn positive(param: &str, value: Option<Json>) -> Result<Option<u64>, RequestError> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    match value.as_count() {
        None | Some(0) => Err(RequestError::wrong(param, value, "a whole number of at least 1")),
        count => Ok(count),
    }
}

/// A text, where it is one.
pub(crate) fn text(value: Option<Json>) -> Option<String> {
    value.and_then(Json::as_str).map(String::from)
}

/// The strings of an object of labels.
pub(crate) fn tags(labels: Option<Json>) -> Vec<(String, String)> {
    let members = labels.into_iter().flat_map(Json::members);
    let strings =
        members.filter_map(|label| Some((text(Some(label.key))?, text(Some(label.value))?)));
    strings.take(MAX_TAGS).collect()
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

// === impl CacheMarkers ===

impl CacheMarkers {
    /// Notes the `cache_control` of a block or a tool, where it has one.
    pub(crate) fn note(&mut self, cache_control: Option<Json>) {
        self.add(cache_control, false);
    }

    /// Notes the `cache_control` of the request itself.
    pub(crate) fn note_automatic(&mut self, cache_control: Option<Json>) {
        self.add(cache_control, true);
    }

    /// The longest time that any of them asks for.
    pub(crate) fn longest(&self) -> Option<CacheTtl> {
        self.0.iter().map(|marker| marker.ttl).max()
    }

    /// All of them, in the order of the body.
    pub(crate) fn finish(mut self) -> Vec<CacheMarker> {
        self.0.sort_by_key(|marker| marker.span.start);
        self.0
    }

    fn add(&mut self, cache_control: Option<Json>, automatic: bool) {
        let Some(asked) = cache_control.filter(|asked| !asked.is_null()) else { return };
        pick!(asked => ttl);
        let ttl = match ttl.and_then(Json::as_str).as_deref() {
            None | Some("5m") => CacheTtl::FiveMinutes,
            Some(_) => CacheTtl::OneHour,
        };
        self.0.push(CacheMarker { span: asked.span(), ttl, automatic });
    }
}
