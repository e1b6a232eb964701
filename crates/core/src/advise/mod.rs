//! What a log of calls says about waste, and what to change.
//!
//! A rule is a pure function of [`Observed`]: one file each, and a line in [`RULES`]. It names the
//! calls that it rests on and derives its dollars from two prices of the same catalog: that of the
//! usage as it was, and that of the usage as it would have been. Nothing is a fixed percentage.

mod log;

pub use log::{Call, Offered, Thread, ToolUse, Touch};
