//! What a call consumed, in disjoint buckets.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! buckets {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A kind of consumption with a price of its own. No token is in two of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(usize)]
        pub enum Bucket { $($(#[$doc])* $variant,)* }

        impl Bucket {
            /// Every bucket, in the order in which a bill lists them.
            pub const ALL: &[Bucket] = &[$(Bucket::$variant,)*];

            /// The bucket's name in catalogs, ledgers and answers.
            pub const fn name(self) -> &'static str {
                match self { $(Bucket::$variant => $name,)* }
            }
        }
    };
}

buckets! {
    /// Prompt tokens at the full price.
    Input = "input",
    /// Audio tokens of the prompt.
    InputAudio = "input_audio",
    /// Image tokens of the prompt.
    InputImage = "input_image",
    /// Video tokens of the prompt.
    InputVideo = "input_video",
    /// Prompt tokens that the provider had in its cache.
    CacheRead = "cache_read",
    /// Audio tokens that the provider had in its cache.
    CacheReadAudio = "cache_read_audio",
    /// Image tokens that the provider had in its cache.
    CacheReadImage = "cache_read_image",
    /// Prompt tokens written to a cache that lives five minutes, or as long as the provider says.
    CacheWrite5m = "cache_write_5m",
    /// Prompt tokens written to a cache that lives an hour.
    CacheWrite1h = "cache_write_1h",
    /// Answer tokens.
    Output = "output",
    /// Tokens that the model thought and did not say.
    OutputReasoning = "output_reasoning",
    /// Audio tokens of the answer.
    OutputAudio = "output_audio",
    /// Image tokens of the answer.
    OutputImage = "output_image",
    /// Video tokens of the answer.
    OutputVideo = "output_video",
    /// Tokens of sources that the provider quotes, neither prompt nor answer.
    Citation = "citation",
    /// Web searches that the provider ran.
    WebSearch = "web_search",
    /// Searches in stored files that the provider ran.
    FileSearch = "file_search",
    /// Sessions of the provider's code interpreter.
    CodeExecution = "code_execution",
    /// Pages of documents.
    Pages = "pages",
    /// Pages of documents, read and annotated.
    AnnotatedPages = "annotated_pages",
    /// Seconds of audio or video.
    Seconds = "seconds",
    /// Characters of text turned into speech.
    Characters = "characters",
    /// Texts sent into a spoken conversation.
    Messages = "messages",
    /// Requests, where a provider charges for each.
    Requests = "requests",
}

const COUNT: usize = Bucket::ALL.len();

/// How long a provider keeps what it writes to its cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheTtl {
    /// Five minutes, or as long as the provider says.
    FiveMinutes,
    /// An hour.
    OneHour,
}

/// A count for each [`Bucket`].
///
/// Serialised as an object of the buckets that are not empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage([u64; COUNT]);

// === impl Bucket ===

impl Bucket {
    /// The bucket with this name.
    pub fn from_name(name: &str) -> Option<Bucket> {
        Bucket::ALL.iter().copied().find(|bucket| bucket.name() == name)
    }

    /// Whether it is part of the prompt, the figure that price tiers look at.
    pub const fn is_prompt(self) -> bool {
        (self as usize) <= Bucket::CacheWrite1h as usize
    }

    /// Whether it is part of the answer.
    pub const fn is_completion(self) -> bool {
        Bucket::Output as usize <= self as usize && self as usize <= Bucket::OutputVideo as usize
    }

    /// Whether it counts tokens, as all do that are part of the prompt or the answer.
    pub const fn is_token(self) -> bool {
        self.is_prompt() || self.is_completion()
    }
}

// === impl Usage ===

impl Usage {
    /// Nothing consumed.
    pub const NONE: Usage = Usage([0; COUNT]);

    /// The same usage with `bucket` at `count`.
    #[must_use]
    pub fn with(mut self, bucket: Bucket, count: u64) -> Usage {
        self.0[bucket as usize] = count;
        self
    }

    /// The count of a bucket.
    pub fn get(&self, bucket: Bucket) -> u64 {
        self.0[bucket as usize]
    }

    /// All tokens of the prompt, cached ones included.
    pub fn prompt(&self) -> u64 {
        self.sum(Bucket::is_prompt)
    }

    /// The tokens of the prompt that the provider had in its cache.
    pub fn cached(&self) -> u64 {
        use Bucket::{CacheRead, CacheReadAudio, CacheReadImage};
        self.sum(|bucket| matches!(bucket, CacheRead | CacheReadAudio | CacheReadImage))
    }

    /// The longest-lived cache write in it.
    pub fn cache_write(&self) -> Option<CacheTtl> {
        use Bucket::{CacheWrite1h, CacheWrite5m};
        let longest_first =
            [(CacheWrite1h, CacheTtl::OneHour), (CacheWrite5m, CacheTtl::FiveMinutes)];
        longest_first.into_iter().find(|(bucket, _)| self.get(*bucket) > 0).map(|(_, ttl)| ttl)
    }

    /// All tokens, of the prompt and of the answers.
    pub fn tokens(&self) -> u64 {
        self.prompt().saturating_add(self.completion())
    }

    /// All tokens of the answer, thinking included.
    pub fn completion(&self) -> u64 {
        self.sum(Bucket::is_completion)
    }

    /// The buckets that are not empty.
    pub fn iter(&self) -> impl Iterator<Item = (Bucket, u64)> + '_ {
        Bucket::ALL.iter().map(|bucket| (*bucket, self.get(*bucket))).filter(|(_, n)| *n > 0)
    }

    /// Both together; a count beyond 64 bits stays at the maximum.
    #[must_use]
    pub fn plus(mut self, other: &Usage) -> Usage {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
        self
    }

    /// What is left without the other; never less than nothing.
    #[must_use]
    pub fn minus(mut self, other: &Usage) -> Usage {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_sub(theirs);
        }
        self
    }

    fn sum(&self, wanted: impl Fn(Bucket) -> bool) -> u64 {
        let counts = Bucket::ALL.iter().filter(|bucket| wanted(**bucket)).map(|b| self.get(*b));
        counts.fold(0, u64::saturating_add)
    }
}

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (bucket, count) in self.iter() {
            map.serialize_entry(bucket.name(), &count)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Usage, D::Error> {
        struct Buckets;
        impl<'de> Visitor<'de> for Buckets {
            type Value = Usage;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of counts by bucket")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Usage, A::Error> {
                let mut usage = Usage::NONE;
                while let Some((name, count)) = map.next_entry::<String, u64>()? {
                    let bucket = Bucket::from_name(&name).ok_or_else(|| {
                        serde::de::Error::custom(format_args!("unknown bucket `{name}`"))
                    })?;
                    usage = usage.with(bucket, count);
                }
                Ok(usage)
            }
        }
        deserializer.deserialize_map(Buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_and_completion_share_no_bucket_and_leave_counters_out() {
        let usage = Bucket::ALL.iter().fold(Usage::NONE, |usage, bucket| usage.with(*bucket, 1));
        assert_eq!((usage.prompt(), usage.completion()), (9, 5));
        assert!(!Bucket::ALL.iter().any(|b| b.is_prompt() && b.is_completion()));
    }

    #[test]
    fn the_longest_lived_cache_write_is_named() {
        let both = Usage::NONE.with(Bucket::CacheWrite5m, 9).with(Bucket::CacheWrite1h, 1);
        assert_eq!(both.cache_write(), Some(CacheTtl::OneHour));
        let short = both.with(Bucket::CacheWrite1h, 0);
        assert_eq!(short.cache_write(), Some(CacheTtl::FiveMinutes));
        assert_eq!(Usage::NONE.with(Bucket::CacheRead, 9).cache_write(), None);
    }

    #[test]
    fn usage_round_trips_through_json() {
        let usage = Usage::NONE.with(Bucket::Input, 7).with(Bucket::Output, u64::MAX);
        let json = serde_json::to_string(&usage).unwrap();
        assert_eq!(json, r#"{"input":7,"output":18446744073709551615}"#);
        assert_eq!(serde_json::from_str::<Usage>(&json).unwrap(), usage);
        assert!(serde_json::from_str::<Usage>(r#"{"tokens":1}"#).is_err());
    }
}
