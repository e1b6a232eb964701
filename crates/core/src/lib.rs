//! Pure values and pure functions of Farthing.
//!
//! Nothing here does I/O, reads a clock or waits: time, ids and randomness come in as arguments,
//! and whatever can go wrong comes back as a value. Every other crate builds on this one.
//!
//! | module | holds |
//! |---|---|
//! | [`advise`] | what a log of calls says about waste, and what to change |
//! | [`money`] | [`Usd`], an integer number of pico-dollars |
//! | [`id`] | validated names of tenants, users, threads, runs, agents, models; [`RequestId`](id::RequestId) |
//! | [`clock`] | the clock, as an argument |
//! | [`scope`] | whose data a query may see |
//! | [`context`] | the immutable value that travels with a call |
//! | [`prompt`] | a request's messages and tools as byte ranges of its body |
//! | [`anatomy`] | tokens of a prompt, by kind |
//! | [`usage`] | what a call consumed, in disjoint buckets |
//! | [`pricing`] | rates, rate cards, the catalog, costs |
//! | [`budget`] | the state machine that alone decides money |
//! | [`entry`] | the ledger's immutable records |
//! | [`identity`] | secrets, keys, principals, plans |
//! | [`ratelimit`] | how fast: requests, tokens, calls at once |
//! | [`registry`] | values by tenant, user and name, bounded in number and time |
//! | [`session`] | the live tally of one conversation or task |
//! | [`tally`] | what calls used and saved, one by one and added up |
//! | [`threshold`] | amounts that somebody wants to hear of, once a period |
//! | [`event`] | the five live events |

pub mod advise;
pub mod anatomy;
pub mod budget;
pub mod clock;
pub mod context;
pub mod entry;
pub mod event;
pub mod id;
pub mod identity;
pub mod money;
pub mod pricing;
pub mod prompt;
pub mod ratelimit;
pub mod registry;
pub mod scope;
pub mod session;
pub mod tally;
pub mod threshold;
pub mod usage;

pub use money::Usd;
