//! Any bytes as an answer: it is refused, or its usage is sane.
#![no_main]

use bytes::Bytes;
use farthing_wire::{Dialect, Reported};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, body) = input;
    let dialect = Dialect::ALL[usize::from(choice) % Dialect::ALL.len()];
    let Ok(answer) = dialect.read_answer(&Bytes::copy_from_slice(body)) else { return };
    if let Reported::Valid(usage) = answer.usage {
        assert!(usage.prompt() > 0);
    }
    let _ = answer.text();
});
