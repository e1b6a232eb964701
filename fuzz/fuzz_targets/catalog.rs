//! Any text as a catalog: it is refused with a reason, or it resolves names without a panic.
#![no_main]

use farthing_core::pricing::Catalog;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Catalog::parse(&[("fuzz.toml", text)]);
});
