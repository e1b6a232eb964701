//! The catalog files that are compiled in.

pub(super) const FILES: &[(&str, &str)] = &[
    ("anthropic.toml", include_str!("../../../../catalog/anthropic.toml")),
    ("google.toml", include_str!("../../../../catalog/google.toml")),
    ("openai.toml", include_str!("../../../../catalog/openai.toml")),
];
