//! Cuts the bill of a request where that provably saves money.
//!
//! | module | holds |
//! |---|---|
//! | [`codec`] | lossless text codecs, each with its decoder |
//! | [`prose`] | prose in fewer words |

pub mod codec;
pub mod prose;
