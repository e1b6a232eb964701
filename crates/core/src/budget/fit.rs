//! What can be done for a call that budgets have no room for: a shorter answer, a cheaper model.

/// Tokens that an answer needs beyond its thinking: a shorter one is cut off, costs and helps nobody.
const ANSWER_TOKENS_MIN: u64 = 1_024;

/// The shortest answer that is worth its price, in tokens, when so many of them may be thinking.
pub const fn shortest_answer(thinking_tokens: u64) -> u64 {
    thinking_tokens.saturating_add(ANSWER_TOKENS_MIN)
}

/// The longest answer that there is room for, in tokens: what was asked for, or as much of it as
/// `fits`, but nothing below `shortest`. `None` where not even that fits.
///
/// `fits` says whether the call has room with an answer so long. If it has, it must have with any
/// shorter one; it is asked 66 times at the most.
///
/// # Errors
/// The first of `fits`.
pub fn clamp<E>(
    shortest: u64,
    asked: u64,
    fits: impl Fn(u64) -> Result<bool, E>,
) -> Result<Option<u64>, E> {
    if fits(asked)? {
        return Ok(Some(asked));
    }
    if shortest >= asked || !fits(shortest)? {
        return Ok(None);
    }
    let (mut fitting, mut too_long) = (shortest, asked);
    while too_long - fitting > 1 {
        let middle = fitting.midpoint(too_long);
        if fits(middle)? {
            fitting = middle;
        } else {
            too_long = middle;
        }
    }
    Ok(Some(fitting))
}

/// The first model of a chain that there is room for; `None` where there is none.
///
/// # Errors
/// The first of `fits`.
pub fn downgrade<M, E>(
    chain: impl IntoIterator<Item = M>,
    fits: impl Fn(&M) -> Result<bool, E>,
) -> Result<Option<M>, E> {
    for model in chain {
        if fits(&model)? {
            return Ok(Some(model));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::Usd;
    use crate::budget::{Amount, Quantity, Room};
    use crate::money::Overflow;
    use crate::pricing::{RateCard, WorstCase};

    fn up_to(room: u64) -> impl Fn(u64) -> Result<bool, Infallible> {
        move |tokens| Ok(tokens <= room)
    }

    #[test]
    fn b16_clamp_lowers_the_answer_to_what_the_room_pays_for() {
        assert_eq!(clamp(1_024, 8_192, up_to(10_000)), Ok(Some(8_192)));
        assert_eq!(clamp(1_024, 8_192, up_to(5_000)), Ok(Some(5_000)));
        assert_eq!(clamp(1_024, 8_192, up_to(1_024)), Ok(Some(1_024)));
    }

    #[test]
    fn b16_clamp_refuses_an_answer_that_would_be_empty_or_cut() {
        assert_eq!(clamp(1_024, 8_192, up_to(1_023)), Ok(None));
        let thinks = shortest_answer(4_096);
        assert_eq!(thinks, 5_120);
        assert_eq!(clamp(thinks, 8_192, up_to(5_119)), Ok(None));
        assert_eq!(clamp(thinks, 8_192, up_to(5_120)), Ok(Some(5_120)));
        assert_eq!(shortest_answer(u64::MAX), u64::MAX);

        // A client that wants less than that is not clamped, but served where it fits.
        assert_eq!(clamp(1_024, 100, up_to(100)), Ok(Some(100)));
        assert_eq!(clamp(1_024, 100, up_to(99)), Ok(None));
    }

    #[test]
    fn b16_a_clamped_call_uses_the_room_up_to_the_last_whole_token() {
        let rates = r#"{"input":"3000000","output":"15000000"}"#;
        let card = format!(r#"{{"provider":"p","model":"m","rates":{rates}}}"#);
        let card = RateCard::from_json(&card).unwrap();
        let worst = |completion_tokens| {
            let most = WorstCase {
                prompt_tokens: 1_000,
                cache_write: None,
                completion_tokens,
                media: false,
            };
            let usd = card.worst_case(&most)?.ok_or(Overflow)?;
            Ok::<_, Overflow>(Amount::of_call(usd, 1_000 + completion_tokens))
        };
        let limit = Quantity::Usd(Usd::from_pico(50_000_000_000));
        let room = Room::of([(limit, Amount::NONE)]);
        let longest = |room: Room| clamp(1_024, 64_000, |n| worst(n).map(|most| room.fits(&most)));
        // 50,000,000,000 less 1,000 x 3,000,000 pico-dollars, at 15,000,000 a token.
        assert_eq!(longest(room), Ok(Some(3_133)));
        assert!(!room.fits(&worst(3_134).unwrap()));

        let room = Room::of([(limit, Amount::NONE), (Quantity::Tokens(3_000), Amount::NONE)]);
        assert_eq!(longest(room), Ok(Some(2_000)));
    }

    #[test]
    fn b16_downgrade_takes_the_first_model_that_fits() {
        let chain = [("opus", 75), ("sonnet", 15), ("haiku", 4)];
        let first = |room| downgrade(chain, |(_, rate)| Ok::<_, Infallible>(*rate <= room));
        assert_eq!(first(100), Ok(Some(("opus", 75))));
        assert_eq!(first(20), Ok(Some(("sonnet", 15))));
        assert_eq!(first(4), Ok(Some(("haiku", 4))));
        assert_eq!(first(3), Ok(None));
    }

    proptest! {
        #[test]
        fn b16_clamp_finds_the_longest_answer_in_a_few_steps(
            shortest: u64, asked: u64, room: u64,
        ) {
            let steps = Cell::new(0);
            let fits = |tokens| {
                steps.set(steps.get() + 1);
                Ok::<_, Infallible>(tokens <= room)
            };
            let expected = match asked.min(room) {
                tokens if tokens == asked || tokens >= shortest => Some(tokens),
                _ => None,
            };
            prop_assert_eq!(clamp(shortest, asked, fits), Ok(expected));
            prop_assert!(steps.get() <= 66);
        }
    }
}
