//! Lossless codecs: a text that costs fewer tokens and says the same.

use std::borrow::Cow;

/// A lossless way to write a text in fewer tokens. A pure function of the text.
pub trait Codec: Sync {
    /// The name in receipts.
    fn name(&self) -> &'static str;

    /// The text, written shorter; `None` where the codec has nothing to shorten.
    fn encode(&self, text: &str) -> Option<String>;

    /// What [`encode`](Codec::encode) was given, in its canonical form; `None` where `text` was not
    /// made by this codec.
    fn decode(&self, text: &str) -> Option<String>;

    /// The form that survives the round trip: `decode(encode(text)) == canonical(text)`.
    fn canonical<'t>(&self, text: &'t str) -> Cow<'t, str>;
}

/// Every codec, in the order in which they are applied.
pub static CODECS: &[&dyn Codec] = &[];
