//! What a card promises: a whole request at one tier, nothing assumed silently, no bill above the
//! worst case.

use proptest::prelude::*;

use super::*;

/// A call that consumes nothing; tests say what else.
const NOTHING: WorstCase =
    WorstCase { prompt_tokens: 0, cache_write: None, completion_tokens: 0, media: false };

fn card(rates: &[(Bucket, &str)]) -> RateCard {
    let read =
        |(bucket, text): &(Bucket, &str)| (*bucket, TieredRate::parse(text, *bucket).unwrap());
    RateCard::new("openai", "gpt-5", &rates.iter().map(read).collect())
}

fn usage(counts: &[(Bucket, u64)]) -> Usage {
    counts.iter().fold(Usage::NONE, |usage, (bucket, count)| usage.with(*bucket, *count))
}

/// The cost in dollars and the flags that it carries.
fn cost(card: &RateCard, counts: &[(Bucket, u64)]) -> (String, CostStatus, bool, bool) {
    let cost = card.cost(&usage(counts)).unwrap();
    (cost.usd.unwrap().to_string(), cost.status, cost.inexact, cost.assumed_rate)
}

#[track_caller]
fn assert_priced(card: &RateCard, counts: &[(Bucket, u64)], dollars: &str) {
    assert_eq!(cost(card, counts), (dollars.to_owned(), CostStatus::Priced, false, false));
}

#[track_caller]
fn assert_assumed(card: &RateCard, bucket: Bucket, dollars: &str) {
    let cost = cost(card, &[(bucket, 1_000_000)]);
    assert_eq!(cost, (dollars.to_owned(), CostStatus::Priced, false, true), "{bucket:?}");
}

#[test]
fn each_bucket_is_billed_at_its_own_rate() {
    use Bucket::*;
    let card = card(&[(Input, "1.25"), (CacheRead, "0.125"), (Output, "10"), (WebSearch, "10")]);
    assert_priced(
        &card,
        &[(Input, 1647), (CacheRead, 115_584), (Output, 225), (WebSearch, 2)],
        "0.03875675",
    );
}

/// Ledgers hold this text and this hash: neither may change.
#[test]
fn a_card_is_kept_as_it_always_was() {
    use Bucket::*;
    let card = card(&[(Output, "10"), (Input, "1.25, above 9: 2"), (CacheRead, "0.125")]);
    let kept = r#"{"provider":"openai","model":"gpt-5","rates":{"cache_read":"125000","input":"1250000, from 10: 2000000","output":"10000000"}}"#;
    assert_eq!(card.to_json(), kept);
    assert_eq!(card.hash().to_string(), "d788afc57b702ddbbe655d4830652d43");
    assert_eq!(RateCard::from_json(kept), Some(card));
    assert_eq!(RateCard::from_json(&kept.replace("input", "inptu")), None);
}

#[test]
fn no_usage_costs_exactly_nothing() {
    assert_priced(&card(&[(Bucket::Input, "1.25")]), &[], "0.00");
    assert_priced(&card(&[]), &[], "0.00");
}

#[test]
fn a_strict_tier_begins_above_its_threshold_and_an_inclusive_one_at_it() {
    use Bucket::*;
    let strict = card(&[(Input, "2, above 200000: 4")]);
    assert_priced(&strict, &[(Input, 200_000)], "0.40");
    assert_priced(&strict, &[(Input, 200_001)], "0.800004");
    let inclusive = card(&[(Input, "2, from 200000: 4")]);
    assert_priced(&inclusive, &[(Input, 199_999)], "0.399998");
    assert_priced(&inclusive, &[(Input, 200_000)], "0.80");
}

#[test]
fn a_tier_holds_for_the_whole_request_and_looks_at_the_whole_prompt() {
    use Bucket::*;
    let card = card(&[
        (Input, "2, above 100: 4"),
        (CacheRead, "0.2, above 100: 0.4"),
        (Output, "10, above 100: 15"),
    ]);
    // 60 + 41 tokens of the prompt pass the threshold, for the answer's price too.
    assert_priced(&card, &[(Input, 60), (CacheRead, 41), (Output, 1_000)], "0.0152564");
    assert_priced(&card, &[(Input, 60), (CacheRead, 40), (Output, 1_000)], "0.010128");
}

#[test]
fn a_missing_rate_is_that_of_the_nearest_relative_and_flagged() {
    use Bucket::*;
    let text = card(&[(Input, "2"), (Output, "8")]);
    for bucket in [CacheRead, CacheWrite5m, CacheWrite1h, InputAudio, InputImage, InputVideo] {
        assert_assumed(&text, bucket, "2.00");
    }
    for bucket in [CacheReadAudio, CacheReadImage] {
        assert_assumed(&text, bucket, "2.00");
    }
    for bucket in [OutputAudio, OutputImage, OutputVideo] {
        assert_assumed(&text, bucket, "8.00");
    }
    let rich = card(&[(Input, "2"), (CacheRead, "0.5"), (CacheWrite5m, "3"), (InputAudio, "40")]);
    assert_assumed(&rich, CacheWrite1h, "3.00");
    assert_assumed(&rich, CacheReadAudio, "40.00");
    assert_assumed(&rich, CacheReadImage, "0.50");
}

#[test]
fn thinking_is_billed_as_output_and_that_is_no_assumption() {
    use Bucket::*;
    assert_priced(&card(&[(Output, "10")]), &[(OutputReasoning, 1_000_000)], "10.00");
    let dearer = card(&[(Output, "10"), (OutputReasoning, "12")]);
    assert_priced(&dearer, &[(OutputReasoning, 1_000_000)], "12.00");
}

#[test]
fn what_has_neither_rate_nor_relative_makes_the_cost_partial() {
    use Bucket::*;
    let card = card(&[(Input, "2")]);
    let partial = ("2.00".to_owned(), CostStatus::Partial, false, false);
    for bucket in [Output, OutputReasoning, WebSearch, FileSearch, CodeExecution, Pages, Seconds] {
        assert_eq!(cost(&card, &[(Input, 1_000_000), (bucket, 1)]), partial, "{bucket:?}");
    }
    assert_priced(&card, &[(Input, 1_000_000), (Requests, 1)], "2.00");
}

#[test]
fn only_an_amount_that_had_to_be_rounded_is_inexact() {
    let card = card(&[(Bucket::Seconds, "0.36"), (Bucket::Input, "0.0000001")]);
    assert_priced(&card, &[(Bucket::Seconds, 1)], "0.0001");
    let rounded = ("0.000000000002".to_owned(), CostStatus::Priced, true, false);
    assert_eq!(cost(&card, &[(Bucket::Input, 15)]), rounded);
    assert_priced(&card, &[(Bucket::Input, 20)], "0.000000000002");
}

#[test]
fn an_amount_beyond_128_bits_is_an_error() {
    let card =
        card(&[(Bucket::Input, "0.999999999999999999"), (Bucket::Output, "0.0000000000001")]);
    let absurd = usage(&[(Bucket::Input, u64::MAX), (Bucket::Output, 1)]);
    assert_eq!(card.cost(&absurd), Err(Overflow));
    let most = WorstCase { prompt_tokens: u64::MAX, completion_tokens: 1, ..NOTHING };
    assert_eq!(card.worst_case(&most), Err(Overflow));
}

#[test]
fn the_worst_case_is_every_token_at_the_dearest_rate_of_its_side() {
    use Bucket::*;
    let card = card(&[(Input, "2"), (CacheRead, "3"), (Output, "8")]);
    let most = WorstCase { prompt_tokens: 1_000, completion_tokens: 100, ..NOTHING };
    assert_eq!(card.worst_case(&most), Ok(Some("0.0038".parse().unwrap())));
}

#[test]
fn cache_writes_count_in_the_worst_case_as_long_lived_as_they_may_come() {
    use Bucket::*;
    let worst = |rates: &[(Bucket, &str)]| {
        [None, Some(CacheTtl::FiveMinutes), Some(CacheTtl::OneHour)].map(|cache_write| {
            let most = WorstCase { prompt_tokens: 1_000_000, cache_write, ..NOTHING };
            card(rates).worst_case(&most).unwrap().unwrap().to_string()
        })
    };
    let input = (Input, "2");
    let all = [input, (CacheWrite5m, "2.5"), (CacheWrite1h, "4")];
    assert_eq!(worst(&all), ["2.00", "2.50", "4.00"]);
    assert_eq!(worst(&[input, (CacheWrite5m, "2.5")]), ["2.00", "2.50", "2.50"]);
    assert_eq!(worst(&[input]), ["2.00", "2.00", "2.00"]);
}

#[test]
fn media_counts_in_the_worst_case_where_it_may_come() {
    use Bucket::*;
    let card = card(&[(Input, "2"), (InputAudio, "40"), (Output, "8"), (OutputAudio, "80")]);
    let worst = |media| {
        let most = WorstCase { prompt_tokens: 1_000, completion_tokens: 100, media, ..NOTHING };
        card.worst_case(&most).unwrap().unwrap().to_string()
    };
    assert_eq!([false, true].map(worst), ["0.0028", "0.048"]);
}

#[test]
fn a_tier_that_a_smaller_prompt_reaches_counts_in_the_worst_case() {
    use Bucket::*;
    let card = card(&[(Input, "1, above 100: 9, above 200: 2"), (Output, "5, above 300: 7")]);
    let worst = |prompt_tokens| {
        let most = WorstCase { prompt_tokens, completion_tokens: 1_000_000, ..NOTHING };
        card.worst_case(&most).unwrap().unwrap().to_string()
    };
    assert_eq!([100, 201, 301].map(worst), ["5.0001", "5.001809", "7.002709"]);
}

#[test]
fn there_is_no_worst_case_where_a_token_that_may_come_has_no_rate() {
    use Bucket::*;
    let worst = |rates: &[(Bucket, &str)], completion_tokens, media| {
        let most = WorstCase { prompt_tokens: 10, completion_tokens, media, ..NOTHING };
        card(rates).worst_case(&most).unwrap()
    };
    assert_eq!(worst(&[], 0, false), None);
    assert_eq!(worst(&[(Input, "1")], 1, false), None);
    assert_eq!(worst(&[(Input, "1")], 0, false), Some(Usd::from_pico(10_000_000)));
    assert_eq!(worst(&[(CacheRead, "1")], 0, false), None);
    assert_eq!(worst(&[(InputAudio, "1"), (OutputAudio, "1")], 1, true), None);
}

#[test]
fn what_is_not_a_card_is_none() {
    for json in ["", "{}", "null", r#"{"provider":"p","model":"m","rates":{"input":"cheap"}}"#] {
        assert!(RateCard::from_json(json).is_none(), "{json}");
    }
}

#[test]
fn the_same_facts_have_the_same_hash_and_others_another() {
    use Bucket::*;
    let hash = |rates: &[(Bucket, &str)]| card(rates).hash().to_string();
    let card = hash(&[(Input, "2"), (Output, "8")]);
    assert_eq!(card.len(), 32);
    assert_eq!(card, hash(&[(Output, "8.00"), (Input, "2.0")]));
    assert_ne!(card, hash(&[(Input, "2"), (Output, "8.01")]));
    assert_ne!(card, hash(&[(Input, "2, above 1: 3"), (Output, "8")]));
}

fn rate() -> impl Strategy<Value = String> {
    let price = (0..100_000_u32, 0..9_u32).prop_map(|(digits, decimals)| {
        let text = format!("{digits:09}");
        let (whole, rest) = text.split_at(text.len() - decimals as usize);
        if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
    });
    (price.clone(), proptest::option::of((1..2_000_u64, price))).prop_map(|(base, tier)| match tier
    {
        Some((tokens, price)) => format!("{base}, above {tokens}: {price}"),
        None => base,
    })
}

/// Text always has a price; every other bucket may have one.
fn any_card() -> impl Strategy<Value = RateCard> {
    let rates = proptest::collection::vec(proptest::option::of(rate()), Bucket::ALL.len());
    (rates, rate(), rate()).prop_map(|(rates, input, output)| {
        let others = Bucket::ALL.iter().zip(&rates);
        let others = others.filter_map(|(bucket, rate)| Some((*bucket, rate.as_deref()?)));
        let text = [(Bucket::Input, input.as_str()), (Bucket::Output, output.as_str())];
        card(&others.chain(text).collect::<Vec<_>>())
    })
}

fn any_usage() -> impl Strategy<Value = Usage> {
    proptest::collection::vec(0..500_u64, Bucket::ALL.len()).prop_map(|counts| {
        let tokens = Bucket::ALL.iter().zip(counts).filter(|(bucket, _)| bucket.is_token());
        tokens.fold(Usage::NONE, |usage, (bucket, count)| usage.with(*bucket, count))
    })
}

proptest! {
    #[test]
    fn no_bill_within_the_bounds_is_above_the_worst_case(
        card in any_card(),
        usage in any_usage(),
        media: bool,
        cache_write in proptest::sample::select(
            &[None, Some(CacheTtl::FiveMinutes), Some(CacheTtl::OneHour)][..],
        ),
        spare in (0..500_u64, 0..500_u64),
    ) {
        let most = WorstCase { cache_write, media, ..NOTHING };
        let unasked = Bucket::ALL.iter().filter(|bucket| !most.may_have(**bucket));
        let usage = unasked.fold(usage, |usage, bucket| usage.with(*bucket, 0));
        prop_assert!(usage.cache_write() <= cache_write);
        let prompt_tokens = usage.prompt() + spare.0;
        let completion_tokens = usage.completion() + spare.1;
        let most = WorstCase { prompt_tokens, completion_tokens, ..most };
        prop_assert!(card.cost(&usage).unwrap().usd <= card.worst_case(&most).unwrap());
    }

    #[test]
    fn a_card_survives_the_ledger(card in any_card(), usage in any_usage()) {
        let read = RateCard::from_json(&card.to_json()).unwrap();
        prop_assert_eq!(read.hash(), card.hash());
        prop_assert_eq!(read.cost(&usage), card.cost(&usage));
        prop_assert_eq!(read, card);
    }
}
