//! Errors of ours, to be worded as a dialect's clients know them.

/// An error for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorBody<'a> {
    /// What went wrong, in the terms that all dialects share.
    pub kind: ErrorKind,
    /// What went wrong, for people: what, and what to do.
    pub message: &'a str,
    /// The member of the request that is to blame.
    pub param: Option<&'a str>,
    /// Our own stable code. Where a dialect has one that its clients act on, that is sent instead.
    pub code: &'a str,
    /// The request's id, where it is known.
    pub request_id: Option<&'a str>,
}

/// What went wrong, in the terms that all dialects share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request cannot be understood or fulfilled as it is.
    InvalidRequest,
    /// The key is missing or wrong.
    Unauthenticated,
    /// The key does not allow this.
    Forbidden,
    /// There is no such endpoint or model.
    NotFound,
    /// A budget says no; asking again does not help.
    OverBudget,
    /// Too many requests; asking again later does help.
    RateLimited,
    /// The provider, or we, cannot answer now.
    Unavailable,
    /// Ours to fix.
    Internal,
}
