//! Any text as a logged payload of any flavour: it is refused, or its usage is sane.
#![no_main]

use farthing_core::pricing::Served;
use farthing_wire::{Flavor, Reported};
use libfuzzer_sys::fuzz_target;

const FLAVORS: [(&str, &str); 8] = [
    ("openai", "chat"),
    ("openai", "responses"),
    ("openai", "images"),
    ("openai", "realtime"),
    ("anthropic", "default"),
    ("google", "default"),
    ("aws", "default"),
    ("cohere", "default"),
];

fuzz_target!(|input: (u8, &str)| {
    let (choice, payload) = input;
    let (provider, flavor) = FLAVORS[usize::from(choice) % FLAVORS.len()];
    let flavor = Flavor::of(provider, flavor).unwrap();
    let Ok(read) = flavor.read_payload(payload, &Served::new()) else { return };
    if let Reported::Valid(usage) = read.usage {
        assert!(usage.cached() <= usage.prompt());
    }
    if let Some(charged) = read.charged {
        assert!(charged.pico() >= 0);
    }
});
