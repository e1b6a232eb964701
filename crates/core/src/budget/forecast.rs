//! When a limit is reached at this pace.

use jiff::{SignedDuration, Timestamp};

use super::amount::{Amount, Quantity};

/// When the rest of `limit` is spent, if spending goes on after `now` as it went since `since`: the
/// beginning of the window, or of the first call where that was later. `now`, where nothing is left.
/// `None` where nothing was spent, so that there is no pace, or where it is beyond the calendar; a
/// window that ends sooner never gets there.
pub fn forecast(
    limit: Quantity,
    spent: &Amount,
    since: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let (used, left) = (limit.of(spent).number(), limit.less(spent).number());
    if left == 0 {
        return Some(now);
    }
    let elapsed = now.duration_since(since).as_micros();
    if used <= 0 || elapsed <= 0 {
        return None;
    }
    // Rounded down: better a moment too soon than too late.
    let more = elapsed.checked_mul(left)?.checked_div(used)?;
    now.checked_add(SignedDuration::from_micros(more.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Usd;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    fn spent(pico: i128, tokens: u64) -> Amount {
        Amount { usd: Usd::from_pico(pico), tokens, requests: 1 }
    }

    #[test]
    fn a_pace_that_goes_on_reaches_the_limit() {
        let dollars = Quantity::Usd(Usd::from_pico(100));
        assert_eq!(forecast(dollars, &spent(25, 0), at(0), at(6)), Some(at(24)));
        assert_eq!(forecast(dollars, &spent(50, 0), at(0), at(6)), Some(at(12)));
        assert_eq!(forecast(Quantity::Tokens(400), &spent(0, 100), at(2), at(4)), Some(at(10)));
        assert_eq!(forecast(Quantity::Requests(3), &spent(0, 0), at(0), at(1)), Some(at(3)));
    }

    #[test]
    fn what_is_used_up_is_reached_now_and_without_a_pace_never() {
        let dollars = Quantity::Usd(Usd::from_pico(100));
        assert_eq!(forecast(dollars, &spent(100, 0), at(0), at(6)), Some(at(6)));
        assert_eq!(forecast(dollars, &spent(130, 0), at(0), at(6)), Some(at(6)));
        assert_eq!(forecast(dollars, &spent(0, 0), at(0), at(6)), None);
        assert_eq!(forecast(dollars, &spent(10, 0), at(6), at(6)), None);
        let absurd = Quantity::Usd(Usd::from_pico(i128::MAX));
        assert_eq!(forecast(absurd, &spent(1, 0), at(0), at(6)), None);
        assert_eq!(forecast(Quantity::Tokens(u64::MAX), &spent(0, 1), at(0), at(6)), None);
    }
}
