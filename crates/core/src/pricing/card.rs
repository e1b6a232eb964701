//! All rates of one model in one situation.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::cost::{Cost, CostStatus};
use super::rate::{Fraction, Rate, TieredRate};
use crate::money::{Overflow, Usd};
use crate::usage::{Bucket, CacheTtl, Usage};

/// The content hash of a rate card: an entry names it, so any cost can be derived again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CardHash([u8; 16]);

/// The rates that hold for a model at a time, in a region, at a service tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateCard {
    hash: CardHash,
    provider: String,
    model: String,
    rates: [Option<TieredRate>; Bucket::ALL.len()],
}

/// Rates by bucket.
pub type Rates = BTreeMap<Bucket, TieredRate>;

/// The card as the ledger keeps it: the hash is taken over its JSON, so that must not change.
#[derive(Serialize, Deserialize)]
struct Kept<'c> {
    #[serde(borrow)]
    provider: Cow<'c, str>,
    #[serde(borrow)]
    model: Cow<'c, str>,
    /// Pico-dollars a unit, by the buckets' names in alphabetical order.
    rates: BTreeMap<Cow<'c, str>, Cow<'c, TieredRate>>,
}

/// The most that a call can consume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorstCase {
    /// Upper bound of the prompt, in tokens.
    pub prompt_tokens: u64,
    /// The longest-lived cache write that may come, asked for or automatic.
    pub cache_write: Option<CacheTtl>,
    /// Upper bound of all answers together, in tokens.
    pub completion_tokens: u64,
    /// Whether images or audio may be among them.
    pub media: bool,
}

// === impl RateCard ===

impl RateCard {
    pub(super) fn new(provider: &str, model: &str, rates: &Rates) -> RateCard {
        let mut card = RateCard {
            hash: CardHash([0; 16]),
            provider: provider.to_owned(),
            model: model.to_owned(),
            rates: std::array::from_fn(|i| rates.get(&Bucket::ALL[i]).cloned()),
        };
        card.hash = CardHash::of(&card.to_json());
        card
    }

    /// Reads a card that the ledger kept; `None` where it is not one.
    pub fn from_json(json: &str) -> Option<RateCard> {
        let kept: Kept<'_> = serde_json::from_str(json).ok()?;
        let rates = kept.rates.into_iter();
        let rates = rates.map(|(name, rate)| Some((Bucket::from_name(&name)?, rate.into_owned())));
        Some(RateCard::new(&kept.provider, &kept.model, &rates.collect::<Option<Rates>>()?))
    }

    /// The card as JSON, for the ledger. Its hash is [`RateCard::hash`].
    pub fn to_json(&self) -> String {
        let kept = Kept {
            provider: self.provider.as_str().into(),
            model: self.model.as_str().into(),
            rates: self
                .rates()
                .map(|(bucket, rate)| (bucket.name().into(), Cow::Borrowed(rate)))
                .collect(),
        };
        // Strings and maps with string keys always serialise.
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// The card's own rates, in the order of buckets.
    pub fn rates(&self) -> impl Iterator<Item = (Bucket, &TieredRate)> {
        let rates = Bucket::ALL.iter().zip(&self.rates);
        rates.filter_map(|(bucket, rate)| Some((*bucket, rate.as_ref()?)))
    }

    /// The content hash.
    pub fn hash(&self) -> CardHash {
        self.hash
    }

    /// The model, as the catalog names it.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whose price list it is of, as the catalog names it.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// What `usage` costs.
    ///
    /// A bucket without a rate takes its nearest relative's (cached input that of input, thinking
    /// that of output) and the cost says so; without a relative the cost is [`CostStatus::Partial`].
    ///
    /// # Errors
    /// [`Overflow`] where the amount leaves 128 bits: the usage is absurd.
    pub fn cost(&self, usage: &Usage) -> Result<Cost, Overflow> {
        let prompt_tokens = usage.prompt();
        let mut sum = Fraction::ZERO;
        let mut status = CostStatus::Priced;
        let mut assumed_rate = false;
        for (bucket, count) in usage.iter() {
            match self.rate(bucket) {
                Some(rate) => {
                    sum = sum.plus(rate.at(prompt_tokens).times(count)?)?;
                    // Thinking is billed as output everywhere; that is no assumption.
                    let own = self.rates[bucket as usize].is_some();
                    assumed_rate |= !own && bucket != Bucket::OutputReasoning;
                }
                // Few providers charge for a request as such.
                None if bucket == Bucket::Requests => {}
                None => status = CostStatus::Partial,
            }
        }
        let (usd, exact) = sum.settle();
        Ok(Cost { usd: Some(usd), status, inexact: !exact, assumed_rate })
    }

    /// The most that the tokens of a call can cost: each at the dearest rate that it may get, in
    /// whatever tier. `None` where tokens may come for which the card has no rate: an unknown cost
    /// is never zero.
    ///
    /// # Errors
    /// [`Overflow`] where the amount leaves 128 bits.
    pub fn worst_case(&self, most: &WorstCase) -> Result<Option<Usd>, Overflow> {
        let mut total = Fraction::ZERO;
        let prompt = (most.prompt_tokens, self.dearest(most, Bucket::is_prompt));
        let completion = (most.completion_tokens, self.dearest(most, Bucket::is_completion));
        for (tokens, rate) in [prompt, completion] {
            match rate {
                Some(rate) => total = total.plus(rate.times(tokens)?)?,
                None if tokens > 0 => return Ok(None),
                None => {}
            }
        }
        // Few providers charge for a request as such.
        if let Some(rate) = &self.rates[Bucket::Requests as usize] {
            total = total.plus(rate.dearest_up_to(most.prompt_tokens).times(1)?)?;
        }
        // Rounding keeps the order of amounts: no bill comes out above this one.
        Ok(Some(total.settle().0))
    }

    fn dearest(&self, most: &WorstCase, side: fn(Bucket) -> bool) -> Option<Rate> {
        let possible = |bucket: &&Bucket| side(**bucket) && most.may_have(**bucket);
        let rates = Bucket::ALL
            .iter()
            .filter(possible)
            .map(|bucket| Some(self.rate(*bucket)?.dearest_up_to(most.prompt_tokens)));
        rates.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// The bucket's own rate, or that of its nearest relative (cached input's is input).
    pub fn rate(&self, bucket: Bucket) -> Option<&TieredRate> {
        let own = |bucket: Bucket| self.rates[bucket as usize].as_ref();
        own(bucket).or_else(|| relatives(bucket).iter().find_map(|relative| own(*relative)))
    }
}

impl WorstCase {
    fn may_have(&self, bucket: Bucket) -> bool {
        match bucket {
            Bucket::CacheWrite5m => self.cache_write.is_some(),
            Bucket::CacheWrite1h => self.cache_write == Some(CacheTtl::OneHour),
            _ => self.media || !is_media(bucket),
        }
    }
}

/// Whose rate a bucket takes where it has none, nearest first.
const fn relatives(bucket: Bucket) -> &'static [Bucket] {
    match bucket {
        Bucket::CacheRead | Bucket::CacheWrite5m => &[Bucket::Input],
        Bucket::CacheWrite1h => &[Bucket::CacheWrite5m, Bucket::Input],
        Bucket::CacheReadAudio => &[Bucket::InputAudio, Bucket::CacheRead, Bucket::Input],
        Bucket::CacheReadImage => &[Bucket::InputImage, Bucket::CacheRead, Bucket::Input],
        Bucket::AnnotatedPages => &[Bucket::Pages],
        Bucket::InputAudio | Bucket::InputImage | Bucket::InputVideo => &[Bucket::Input],
        Bucket::OutputReasoning
        | Bucket::OutputAudio
        | Bucket::OutputImage
        | Bucket::OutputVideo => &[Bucket::Output],
        _ => &[],
    }
}

const fn is_media(bucket: Bucket) -> bool {
    matches!(
        bucket,
        Bucket::InputAudio
            | Bucket::InputImage
            | Bucket::InputVideo
            | Bucket::CacheReadAudio
            | Bucket::CacheReadImage
            | Bucket::OutputAudio
            | Bucket::OutputImage
            | Bucket::OutputVideo
    )
}

// === impl CardHash ===

impl CardHash {
    fn of(json: &str) -> CardHash {
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(json.as_bytes()).as_bytes()[..16]);
        CardHash(hash)
    }
}

impl fmt::Display for CardHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
#[path = "card_tests.rs"]
mod tests;
