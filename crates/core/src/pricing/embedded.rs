//! The catalog files that are compiled in.

macro_rules! files {
    ($($provider:literal)*) => {
        /// Providers with their file and its text.
        pub(super) const FILES: &[(&str, &str, &str)] = &[$((
            $provider,
            concat!($provider, ".toml"),
            include_str!(concat!("../../../../catalog/", $provider, ".toml")),
        ),)*];
    };
}

files! {
    "anthropic" "aws" "azure" "cerebras" "cohere" "deepseek" "fireworks" "google" "groq" "minimax"
    "mistral" "moonshotai" "openai" "openrouter" "perplexity" "together" "voyageai" "x-ai" "zai"
}
