//! The price of one unit, exactly.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::money::{Overflow, PICO_PER_USD, Usd, div_half_even};
use crate::usage::Bucket;

/// The terms of the dearest and of the finest price in any unit, with room for a surcharge; their
/// product stays in 128 bits.
const MAX_NUMERATOR: i128 = 10_i128.pow(24);
const MAX_DENOMINATOR: i128 = 10_i128.pow(13);
/// How a price in dollars may be spelled.
const MAX_WHOLE_DIGITS: usize = 12;
const MAX_DECIMALS: usize = 18;
const MAX_DIGITS: usize = 18;

/// Pico-dollars for one unit of a bucket, as a reduced fraction.
///
/// Token prices are whole; a price per hour or with more than six decimals per million is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(Fraction);

/// A rate that may change for the *whole* request once its prompt passes a threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TieredRate {
    base: Rate,
    tiers: Vec<Tier>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tier {
    /// The smallest prompt, in tokens, that has this rate.
    from_tokens: u64,
    rate: Rate,
}

/// A reduced, non-negative fraction of pico-dollars; sums stay exact until [`Fraction::settle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    numerator: i128,
    /// Always positive.
    denominator: i128,
}

/// A text is not a rate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a rate; write dollars as in \"2.50\" or \"2.50, above 200000: 5\"")]
pub struct InvalidRate(String);

// === impl Fraction ===

impl Fraction {
    /// Nothing.
    pub const ZERO: Fraction = Fraction { numerator: 0, denominator: 1 };

    /// A fraction as a rate may have it, so that sums and comparisons of rates stay in 128 bits.
    fn bounded(numerator: i128, denominator: i128) -> Option<Fraction> {
        let fits = (0..=MAX_NUMERATOR).contains(&numerator)
            && (1..=MAX_DENOMINATOR).contains(&denominator);
        fits.then(|| Fraction::new(numerator, denominator))
    }

    fn new(numerator: i128, denominator: i128) -> Fraction {
        let divisor = gcd(numerator, denominator).max(1);
        Fraction { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`Overflow`] beyond 128 bits.
    pub fn plus(self, other: Fraction) -> Result<Fraction, Overflow> {
        let add = |a: i128, b: i128| a.checked_add(b).ok_or(Overflow);
        let multiply = |a: i128, b: i128| a.checked_mul(b).ok_or(Overflow);
        if self.denominator == other.denominator {
            let numerator = add(self.numerator, other.numerator)?;
            return Ok(Fraction { numerator, denominator: self.denominator });
        }
        let numerator = add(
            multiply(self.numerator, other.denominator)?,
            multiply(other.numerator, self.denominator)?,
        )?;
        Ok(Fraction::new(numerator, multiply(self.denominator, other.denominator)?))
    }

    /// The whole pico-dollars, rounded half to even, and whether nothing was rounded away.
    pub fn settle(self) -> (Usd, bool) {
        if self.denominator == 1 {
            return (Usd::from_pico(self.numerator), true);
        }
        let exact = self.numerator % self.denominator == 0;
        (Usd::from_pico(div_half_even(self.numerator, self.denominator)), exact)
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Fraction) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Fraction) -> std::cmp::Ordering {
        // Rates are bounded by their parsers, so the cross products stay below 128 bits.
        let left = self.numerator.saturating_mul(other.denominator);
        left.cmp(&other.numerator.saturating_mul(self.denominator))
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fraction { numerator, denominator: 1 } => write!(f, "{numerator}"),
            Fraction { numerator, denominator } => write!(f, "{numerator}/{denominator}"),
        }
    }
}

impl FromStr for Fraction {
    type Err = InvalidRate;

    /// Reads a whole number or a fraction, as in `11/10`.
    fn from_str(text: &str) -> Result<Fraction, InvalidRate> {
        let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
        let read = numerator.parse().ok().zip(denominator.parse().ok());
        let fraction = read.and_then(|(over, under)| Fraction::bounded(over, under));
        fraction.ok_or_else(|| InvalidRate(text.to_owned()))
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

// === impl Rate ===

impl Rate {
    /// Reads a price in dollars for as many units as `bucket` is priced by (see [`unit`]).
    pub(super) fn parse(dollars: &str, bucket: Bucket) -> Option<Rate> {
        let (whole, decimals) = dollars.split_once('.').unwrap_or((dollars, ""));
        let digits = [whole, decimals].concat();
        let plausible = (1..=MAX_WHOLE_DIGITS).contains(&whole.len())
            && decimals.len() <= MAX_DECIMALS
            && digits.trim_start_matches('0').len() <= MAX_DIGITS
            && !dollars.ends_with('.');
        if !plausible || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits: i128 = digits.parse().ok()?;
        let scale = 10_i128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
        let unit = Fraction::new(PICO_PER_USD, scale.checked_mul(unit(bucket))?);
        let numerator = digits.checked_mul(unit.numerator)?;
        Some(Rate(Fraction::new(numerator, unit.denominator)))
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.0 == Fraction::ZERO
    }

    /// The price of `count` units.
    ///
    /// # Errors
    /// [`Overflow`] where the product leaves 128 bits.
    pub fn times(self, count: u64) -> Result<Fraction, Overflow> {
        let numerator = self.0.numerator.checked_mul(i128::from(count)).ok_or(Overflow)?;
        Ok(Fraction { numerator, denominator: self.0.denominator })
    }

    /// The price in dollars of as many units as a catalog names it for (see [`per`]), in full; with
    /// `…` where it has no end.
    pub fn dollars(self, bucket: Bucket) -> String {
        let Fraction { numerator, denominator } = self.0;
        // Both are bounded by the parsers, a unit by a million.
        let (over, under) = (numerator * unit(bucket), denominator * PICO_PER_USD);
        let (mut text, mut rest) = ((over / under).to_string(), over % under);
        for decimal in 0..MAX_DECIMALS + 2 {
            if rest == 0 {
                return text;
            }
            if decimal == 0 {
                text.push('.');
            }
            text += &(rest * 10 / under).to_string();
            rest = rest * 10 % under;
        }
        text + "…"
    }

    fn scaled(self, factor: Fraction) -> Result<Rate, Overflow> {
        let numerator = self.0.numerator.checked_mul(factor.numerator).ok_or(Overflow)?;
        let denominator = self.0.denominator.checked_mul(factor.denominator).ok_or(Overflow)?;
        let Fraction { numerator, denominator } = Fraction::new(numerator, denominator);
        Fraction::bounded(numerator, denominator).map(Rate).ok_or(Overflow)
    }
}

/// What a catalog's price of a bucket is for, in words.
pub const fn per(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Seconds => "hour",
        Bucket::Characters => "million characters",
        Bucket::Pages | Bucket::AnnotatedPages => "thousand pages",
        Bucket::WebSearch | Bucket::FileSearch => "thousand searches",
        Bucket::CodeExecution => "thousand sessions",
        Bucket::Messages => "thousand messages",
        Bucket::Requests => "thousand requests",
        _ => "million tokens",
    }
}

/// How many units of a bucket a catalog's price is for.
const fn unit(bucket: Bucket) -> i128 {
    match bucket {
        Bucket::Seconds => 3_600,
        Bucket::WebSearch
        | Bucket::FileSearch
        | Bucket::CodeExecution
        | Bucket::Pages
        | Bucket::AnnotatedPages
        | Bucket::Messages
        | Bucket::Requests => 1_000,
        _ => 1_000_000,
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    /// Reads what `Display` writes: pico-dollars a unit, whole or as a fraction.
    fn from_str(text: &str) -> Result<Rate, InvalidRate> {
        text.parse().map(Rate)
    }
}

// === impl TieredRate ===

impl TieredRate {
    /// Reads a catalog's price: `"2.50"`, or with thresholds on the prompt's tokens:
    /// `"2.50, above 200000: 5"` (more than) or `"2.50, from 200000: 5"` (at least).
    ///
    /// # Errors
    /// [`InvalidRate`] where it is anything else, negative, or its thresholds do not rise.
    pub fn parse(text: &str, bucket: Bucket) -> Result<TieredRate, InvalidRate> {
        let mut pieces = text.split(',').map(str::trim);
        let parsed = pieces.next().and_then(|base| {
            let base = Rate::parse(base, bucket)?;
            let tiers =
                pieces.map(|piece| Tier::parse(piece, bucket)).collect::<Option<Vec<_>>>()?;
            let rising = tiers.windows(2).all(|pair| pair[0].from_tokens < pair[1].from_tokens);
            rising.then_some(TieredRate { base, tiers })
        });
        parsed.ok_or_else(|| InvalidRate(text.chars().take(80).collect()))
    }

    /// The rate of a request whose prompt has so many tokens.
    pub fn at(&self, prompt_tokens: u64) -> Rate {
        let reached = |tier: &&Tier| tier.from_tokens <= prompt_tokens;
        self.tiers.iter().rev().find(reached).map_or(self.base, |tier| tier.rate)
    }

    /// The rates with the smallest prompt, in tokens, that has each; the first from none.
    pub fn tiers(&self) -> impl Iterator<Item = (u64, Rate)> {
        let above = self.tiers.iter().map(|tier| (tier.from_tokens, tier.rate));
        std::iter::once((0, self.base)).chain(above)
    }

    /// Whether it is nothing, for any prompt.
    pub fn is_zero(&self) -> bool {
        self.tiers().all(|(_, rate)| rate.is_zero())
    }

    /// The same rates, each times `factor`.
    pub(super) fn scaled(&self, factor: Fraction) -> Result<TieredRate, Overflow> {
        let tier = |tier: &Tier| Ok(Tier { rate: tier.rate.scaled(factor)?, ..*tier });
        let tiers = self.tiers.iter().map(tier).collect::<Result<_, _>>()?;
        Ok(TieredRate { base: self.base.scaled(factor)?, tiers })
    }

    /// The dearest rate of all prompts that have at most so many tokens.
    pub fn dearest_up_to(&self, prompt_tokens: u64) -> Rate {
        let reached = self.tiers.iter().filter(|tier| tier.from_tokens <= prompt_tokens);
        reached.map(|tier| tier.rate).fold(self.base, Rate::max)
    }
}

impl Tier {
    fn parse(piece: &str, bucket: Bucket) -> Option<Tier> {
        let (condition, dollars) = piece.split_once(':')?;
        let (operator, tokens) = condition.trim().split_once(' ')?;
        let tokens: u64 = tokens.trim().parse().ok()?;
        let from_tokens = match operator {
            "above" => tokens.checked_add(1)?,
            "from" => tokens,
            _ => return None,
        };
        Some(Tier { from_tokens, rate: Rate::parse(dollars.trim(), bucket)? })
    }
}

impl fmt::Display for TieredRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.base)?;
        self.tiers
            .iter()
            .try_for_each(|tier| write!(f, ", from {}: {}", tier.from_tokens, tier.rate))
    }
}

impl FromStr for TieredRate {
    type Err = InvalidRate;

    /// Reads what `Display` writes: pico-dollars a unit.
    fn from_str(text: &str) -> Result<TieredRate, InvalidRate> {
        let mut pieces = text.split(", ");
        let base = pieces.next().unwrap_or_default().parse()?;
        let tier = |piece: &str| {
            let (tokens, rate) = piece.strip_prefix("from ")?.split_once(": ")?;
            Some(Tier { from_tokens: tokens.parse().ok()?, rate: rate.parse().ok()? })
        };
        let tiers = pieces.map(tier).collect::<Option<Vec<_>>>();
        let tiers = tiers.ok_or_else(|| InvalidRate(text.to_owned()))?;
        Ok(TieredRate { base, tiers })
    }
}

impl Serialize for TieredRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TieredRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TieredRate, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str, bucket: Bucket) -> String {
        TieredRate::parse(text, bucket).unwrap().to_string()
    }

    #[test]
    fn dollars_a_million_become_whole_pico_dollars_a_token() {
        assert_eq!(rate("2.50", Bucket::Input), "2500000");
        assert_eq!(rate("0.000001", Bucket::Input), "1");
        assert_eq!(rate("10", Bucket::WebSearch), "10000000000");
        assert_eq!(rate("0", Bucket::Input), "0");
    }

    #[test]
    fn what_does_not_divide_stays_a_fraction_and_says_so_once_settled() {
        assert_eq!(rate("1", Bucket::Seconds), "2500000000/9");
        let rate = TieredRate::parse("1", Bucket::Seconds).unwrap().at(0);
        let third = rate.times(1).unwrap();
        let all = (0..8).try_fold(third, |sum, _| sum.plus(third)).unwrap();
        assert_eq!(all.settle(), (Usd::from_pico(2_500_000_000), true));
        assert_eq!(third.settle(), (Usd::from_pico(277_777_778), false));
    }

    #[test]
    fn thresholds_are_strict_with_above_and_inclusive_with_from() {
        let above = TieredRate::parse("4, above 100: 8", Bucket::Input).unwrap();
        assert_eq!([100, 101].map(|n| above.at(n).to_string()), ["4000000", "8000000"]);
        let from = TieredRate::parse("4, from 100: 8, from 200: 9", Bucket::Input).unwrap();
        assert_eq!(
            [99, 100, 200].map(|n| from.at(n).to_string()),
            ["4000000", "8000000", "9000000"]
        );
        assert_eq!(from.to_string().parse(), Ok(from));
    }

    #[test]
    fn the_dearest_and_the_finest_price_can_be_read_back_and_compared() {
        for bucket in [Bucket::Input, Bucket::WebSearch, Bucket::Seconds] {
            let read = |text: &str| TieredRate::parse(text, bucket).unwrap();
            let [dearest, finest] = [read(&"9".repeat(12)), read("0.000000000000000001")];
            assert!(dearest.at(0) > finest.at(0));
            assert_eq!(dearest.to_string().parse(), Ok(dearest));
            assert_eq!(finest.to_string().parse(), Ok(finest));
        }
    }

    #[test]
    fn a_rate_is_shown_in_the_dollars_that_it_was_written_in() {
        for (text, bucket) in [
            ("2.5", Bucket::Input),
            ("0.111", Bucket::Seconds),
            ("14", Bucket::WebSearch),
            ("0", Bucket::Input),
        ] {
            assert_eq!(TieredRate::parse(text, bucket).unwrap().at(0).dollars(bucket), text);
        }
        let third = TieredRate::parse("1", Bucket::Input).unwrap();
        let third = third.scaled("1/3".parse().unwrap()).unwrap().at(0);
        assert_eq!(third.dollars(Bucket::Input), format!("0.{}…", "3".repeat(20)));
        let most = TieredRate::parse(&"9".repeat(12), Bucket::Requests).unwrap().at(0);
        assert_eq!(most.dollars(Bucket::Requests), "9".repeat(12));
    }

    #[test]
    fn a_price_that_a_float_spoiled_is_read_to_its_last_digit() {
        assert_eq!(rate("0.041666666666666664", Bucket::Input), "5208333333333333/125000000000");
    }

    #[test]
    fn what_is_not_a_rate_is_refused() {
        for text in [
            "",
            "-1",
            "1e3",
            "1.",
            ".5",
            "four",
            "4, 8",
            "1234567890123",
            "1.2345678901234567890",
            "4, over 1: 8",
            "4, from 9: 1, from 8: 2",
        ] {
            assert!(TieredRate::parse(text, Bucket::Input).is_err(), "{text}");
        }
        for text in ["", "-1", "1/0", "1/-1", "1.5", "1, 8", "1, from x: 8", &"9".repeat(30)] {
            assert!(text.parse::<TieredRate>().is_err(), "{text}");
        }
    }
}
