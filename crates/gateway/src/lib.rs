//! HTTP in: the drop-in routes, Farthing's own API, and the way from one to the engine.
//!
//! It attributes and parses; the engine does the rest; here its outcome becomes an
//! answer again. No money is decided and nothing is counted here.
//!
//! | module | holds |
//! |---|---|
//! | [`state`] | [`Gateway`]: an engine, and whom it may call |
//! | [`routes`] | which address is answered by what |
//! | [`listen`] | the listener and the orderly end |
//! | `repeats` | requests with an `Idempotency-Key` |
//! | [`proxy`] | the drop-in routes: HTTP to a call and back |
//! | `caller` | the key that a request shows |
//! | [`attribute`] | on whose account a call is |
//! | [`rejection`] | every error of the drop-in routes, in the provider's own shape |
//! | [`api`] | `/api/v1`: requests and usage |
//! | `events` | `/api/v1/events`: live events, over a WebSocket or as a stream |
//! | [`budgets`] | `/api/v1/budgets` |
//! | [`keys`] | `/api/v1/keys`, `/api/v1/audit` |
//! | [`sessions`] | `/api/v1/sessions` |
//! | [`savings`] | `/api/v1/savings`, and how far a request may be optimized |
//! | [`problem`] | the errors of `/api/v1` (RFC 9457) |
//! | [`guard`] | who may talk to a gateway without keys |
//! | [`health`] | how it stands: `/healthz`, `/readyz`, `/api/v1/health`, `/metrics` |

pub mod api;
pub mod attribute;
pub mod budgets;
mod caller;
pub mod events;
pub mod guard;
pub mod health;
pub mod keys;
pub mod listen;
pub mod problem;
pub mod proxy;
pub mod rejection;
mod repeats;
pub mod routes;
pub mod savings;
pub mod sessions;
pub mod state;

pub use listen::serve;
pub use state::{Gateway, Ids, Random, Settings};
