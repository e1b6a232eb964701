//! Money: an integer number of pico-dollars.
//!
//! A pico-dollar is 1e-12 dollars. Published prices per million tokens have at most six decimals,
//! so the price of one token is a whole number of pico-dollars and a bill needs no rounding.
//! One type serves a call and a sum: 128 bits hold more than 1e26 dollars.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Pico-dollars in a dollar.
pub const PICO_PER_USD: i128 = 1_000_000_000_000;
const DECIMALS: usize = 12;

/// An amount of United States dollars, exact to 1e-12.
///
/// Shown and serialised as a decimal string (`"0.008289"`); never a float.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(i128);

/// Money arithmetic left the range of 128 bits: the input was absurd, nothing was wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("amount of money out of range; check the token counts and rates that led to it")]
pub struct Overflow;

/// A text is not an amount of dollars.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not an amount in dollars; write digits with at most 12 decimals, as in 12.50")]
pub struct NotMoney(String);

// === impl Usd ===

impl Usd {
    /// No money. Not to be confused with an unknown amount, which is `Option::<Usd>::None`.
    pub const ZERO: Usd = Usd(0);

    /// An amount given in pico-dollars.
    pub const fn from_pico(pico: i128) -> Usd {
        Usd(pico)
    }

    /// The amount in pico-dollars.
    pub const fn pico(self) -> i128 {
        self.0
    }

    /// Splits into whole dollars and the pico-dollars that remain (both of the same sign).
    pub const fn parts(self) -> (i128, i128) {
        (self.0 / PICO_PER_USD, self.0 % PICO_PER_USD)
    }

    /// The sum.
    ///
    /// # Errors
    /// [`Overflow`] beyond 128 bits.
    pub fn plus(self, other: Usd) -> Result<Usd, Overflow> {
        self.0.checked_add(other.0).map(Usd).ok_or(Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`Overflow`] beyond 128 bits.
    pub fn minus(self, other: Usd) -> Result<Usd, Overflow> {
        self.0.checked_sub(other.0).map(Usd).ok_or(Overflow)
    }

    /// Adds up many amounts.
    ///
    /// # Errors
    /// [`Overflow`] beyond 128 bits.
    pub fn sum(amounts: impl IntoIterator<Item = Usd>) -> Result<Usd, Overflow> {
        amounts.into_iter().try_fold(Usd::ZERO, Usd::plus)
    }

    /// Rounded to `decimals` for reading, half to even; never used for reckoning.
    pub fn rounded(self, decimals: u32) -> Usd {
        let unit = 10_i128.pow(DECIMALS as u32 - decimals.min(DECIMALS as u32));
        Usd(div_half_even(self.0, unit).saturating_mul(unit))
    }
}

/// Divides, rounding half to even. `divisor` must be positive.
pub(crate) fn div_half_even(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value.div_euclid(divisor), value.rem_euclid(divisor));
    let up = match rest.cmp(&(divisor - rest)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
    };
    quotient + i128::from(up)
}

impl fmt::Display for Usd {
    /// Exact; with a precision (`{:.4}`) rounded to so many decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().and_then(|wanted| u32::try_from(wanted).ok());
        let shown = decimals.map_or(*self, |decimals| self.rounded(decimals));
        let magnitude = shown.0.unsigned_abs();
        let (whole, pico) =
            (magnitude / PICO_PER_USD.unsigned_abs(), magnitude % PICO_PER_USD.unsigned_abs());
        let decimals = format!("{pico:012}");
        // Cents are always shown, further decimals only where they say something.
        let decimals = match f.precision() {
            Some(wanted) => &decimals[..wanted.min(DECIMALS)],
            None => &decimals[..decimals.trim_end_matches('0').len().max(2)],
        };
        let point = if decimals.is_empty() { "" } else { "." };
        f.pad_integral(shown.0 >= 0, "", &format!("{whole}{point}{decimals}"))
    }
}

impl FromStr for Usd {
    type Err = NotMoney;

    fn from_str(text: &str) -> Result<Usd, NotMoney> {
        let refused = || NotMoney(text.chars().take(64).collect());
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(decimals) || decimals.len() > DECIMALS {
            return Err(refused());
        }
        let whole: i128 = whole.parse().map_err(|_| refused())?;
        let pico: i128 = format!("{decimals:0<12}").parse().map_err(|_| refused())?;
        whole
            .checked_mul(PICO_PER_USD)
            .and_then(|value| value.checked_add(pico))
            .map(|value| Usd(sign * value))
            .ok_or_else(refused)
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_are_shown_exactly_and_with_at_least_cents() {
        for text in ["0.00", "0.008289", "12.50", "-0.000000000001", "9223372.036854775807"] {
            assert_eq!(usd(text).to_string(), text);
        }
        assert_eq!(format!("{:.4}", usd("0.008289")), "0.0083");
        assert_eq!(format!("{:.2}", usd("-0.001")), "0.00");
        assert_eq!(format!("{:>10}", usd("1.5")), "      1.50");
    }

    #[test]
    fn what_is_not_money_is_refused() {
        for text in ["", ".", "1.", ".5", "1e3", "+1", "--1", "1,5", "0.0000000000001", "NaN"] {
            assert!(text.parse::<Usd>().is_err(), "{text}");
        }
        assert!("9".repeat(60).parse::<Usd>().is_err());
    }

    #[test]
    fn halves_round_to_even() {
        let rounded = |value| div_half_even(value, 10);
        assert_eq!([5, 15, 25, -5, -15, 14, 16].map(rounded), [0, 2, 2, 0, -2, 1, 2]);
        assert_eq!(usd("0.00825").rounded(4), usd("0.0082"));
    }

    #[test]
    fn overflow_is_an_error() {
        assert_eq!(Usd(i128::MAX).plus(Usd(1)), Err(Overflow));
        assert_eq!(Usd(i128::MIN).minus(Usd(1)), Err(Overflow));
    }

    proptest! {
        #[test]
        fn text_round_trips(pico in any::<i64>()) {
            let amount = Usd::from_pico(i128::from(pico));
            prop_assert_eq!(usd(&amount.to_string()), amount);
        }
    }
}
