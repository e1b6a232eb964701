//! What the optimizer promises of every request, without asking a model: over generated
//! conversations always, over recorded ones where they are present.

#![allow(clippy::print_stdout, clippy::unwrap_used, unreachable_pub, missing_docs)]

mod cache;
mod conversations;
mod corpus;
mod economics;
mod generated;
mod hints;
