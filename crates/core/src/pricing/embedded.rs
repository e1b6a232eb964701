//! The catalog files that are compiled in.

pub(super) const FILES: &[(&str, &str)] =
    &[("openai.toml", include_str!("../../../../catalog/openai.toml"))];
