//! Who calls, as pure values: secrets and their hashes, keys, what they allow, plans.
//!
//! A client shows a secret; its hash finds a [`Key`]; [`Key::admit`] gives the [`Principal`], the
//! authenticated caller, from whom alone come the account of a call and the
//! [`Scope`](crate::scope::Scope) of a query.

mod key;
mod plan;
mod principal;
mod secret;

pub use key::{AllowList, Denied, Grant, Holder, Key, Permission, Role};
pub use plan::{Analytics, Disconnect, OptimizerLevel, Plan};
pub use principal::Principal;
pub use secret::{InvalidSecret, KeyHash, KeySecret, Pepper};

#[cfg(test)]
mod tests;
