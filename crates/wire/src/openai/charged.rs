//! What a reseller says that it charged: [OpenRouter's](https://openrouter.ai/docs/use-cases/usage-accounting)
//! `usage.cost`, in dollars.

use farthing_core::Usd;

use crate::json::{Json, Kind, pick};

/// Powers of ten from which on a number has no place among amounts of money.
const MAX_EXPONENT: i32 = 30;
/// Digits that a 64-bit float can have, and more than it can mean.
const MAX_DIGITS: usize = 30;

/// What was charged. Who brought keys of their own is charged by the model's provider too.
pub(crate) fn charged(usage: Json) -> Option<Usd> {
    pick!(usage => cost, is_byok, cost_details);
    let cost = dollars(cost?)?;
    if !is_byok.and_then(Json::as_bool).unwrap_or(false) {
        return Some(cost);
    }
    let upstream = cost_details.and_then(|of| of.pick(["upstream_inference_cost"])[0]);
    match upstream.filter(|upstream| !upstream.is_null()) {
        Some(upstream) => cost.plus(dollars(upstream)?).ok(),
        // It is not known, which is not to say that it is nothing.
        None => None,
    }
}

/// A JSON number as an amount, to the nearest pico-dollar, half to even: what stands behind is the
/// noise of somebody's float. None where it is negative or absurd.
fn dollars(value: Json) -> Option<Usd> {
    if value.kind() != Kind::Number {
        return None;
    }
    let (mantissa, exponent) = value.text().split_once(['e', 'E']).unwrap_or((value.text(), "0"));
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.parse::<i32>().ok().filter(|by| by.abs() <= MAX_EXPONENT)?;
    let digits = [whole, decimals].concat();
    if digits.len() > MAX_DIGITS {
        return None;
    }
    let digits: u128 = digits.parse().ok()?;
    let power = exponent + 12 - i32::try_from(decimals.len()).ok()?;
    let scale = 10_u128.checked_pow(power.unsigned_abs());
    let pico = match (power >= 0, scale) {
        (true, scale) => digits.checked_mul(scale?)?,
        (false, Some(scale)) => half_to_even(digits, scale),
        (false, None) => 0,
    };
    i128::try_from(pico).ok().map(Usd::from_pico)
}

fn half_to_even(amount: u128, unit: u128) -> u128 {
    let (whole, rest) = (amount / unit, amount % unit);
    let up = match rest.cmp(&(unit - rest)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => whole % 2 == 1,
        std::cmp::Ordering::Greater => true,
    };
    whole + u128::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(usage: &str) -> Option<String> {
        charged(Json::parse(usage.as_bytes()).unwrap()).map(|usd| usd.to_string())
    }

    #[test]
    fn a_charge_is_exact_however_it_is_spelled() {
        for (cost, usd) in [
            ("0.000102", Some("0.000102")),
            ("1.4e-05", Some("0.000014")),
            ("4.1400000000000003e-05", Some("0.0000414")),
            ("25E2", Some("2500")),
            ("0", Some("0")),
            ("5e-13", Some("0")),
            ("1.5e-12", Some("0.000000000002")),
            ("2.5e-12", Some("0.000000000002")),
            ("1e-30", Some("0")),
            ("-0.1", None),
            ("1e31", None),
            ("1e-99999999999", None),
            ("\"0.1\"", None),
            ("null", None),
            ("{\"total_cost\":1}", None),
        ] {
            let read = read(&format!("{{\"cost\":{cost}}}"));
            assert_eq!(
                read.map(|usd| usd.parse::<Usd>().unwrap()),
                usd.map(|usd| usd.parse().unwrap()),
                "{cost}"
            );
        }
    }

    #[test]
    fn keys_of_ones_own_are_charged_by_their_provider_too() {
        let usage = |byok: &str, upstream: &str| {
            read(&format!(
                r#"{{"cost":0.01,"is_byok":{byok},"cost_details":{{"upstream_inference_cost":{upstream}}}}}"#
            ))
        };
        assert_eq!(usage("true", "0.0360795").as_deref(), Some("0.0460795"));
        assert_eq!(usage("false", "0.0360795").as_deref(), Some("0.01"));
        assert_eq!(usage("null", "0.0360795").as_deref(), Some("0.01"));
        assert_eq!(usage("true", "null"), None);
        assert_eq!(read(r#"{"prompt_tokens":1}"#), None);
    }
}
