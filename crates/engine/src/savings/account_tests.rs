#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use farthing_core::entry::{Origin, PricedBy};
use farthing_core::id::ModelId;
use farthing_core::pricing::{Catalog, Cost, FoundBy, Served};
use farthing_optimize::edit::Class;
use farthing_optimize::gate::Verdict;
use farthing_optimize::receipt::Entry;

use super::*;

fn bill(usage: Usage) -> Bill {
    let (catalog, at) = (Catalog::embedded().unwrap(), "2026-11-22T12:00:00Z".parse().unwrap());
    let model = "claude-sonnet-4-5";
    let found = catalog.resolve("anthropic", model, at, &Served::new()).unwrap();
    let cost = Cost::of(Some(&found.card), &usage);
    Bill {
        model: ModelId::new(model).unwrap(),
        usage,
        origin: Origin::Measured,
        served: Served::new(),
        charged: cost.usd.unwrap(),
        cost,
        listed: None,
        priced_by: Some(PricedBy { card: found.card, rule: FoundBy::Exact }),
        others: Vec::new(),
    }
}

/// A call of a thousand tokens that had 200 more, half of them in what was sent before.
fn account(marked: bool) -> Account {
    let entry = |message| Entry {
        pass: "table",
        class: Class::L1,
        message: Some(message),
        verdict: Verdict {
            removed: 100,
            rewritten: 0,
            requests_milli: 0,
            break_even_milli: 0,
            gain_milli: 1,
        },
        expected_usd: None,
    };
    let receipt = Receipt {
        tokens_before: 1_200,
        tokens_after: 1_000,
        edits: vec![entry(0), entry(2)],
        ..Receipt::default()
    };
    Account {
        mode: Mode::Safe,
        held_out: false,
        conversation: String::new(),
        receipt,
        marked,
        seen: 1,
    }
}

fn would(account: &Account, bill: &Bill) -> (i128, BTreeMap<String, Pass>) {
    let card = &bill.priced_by.as_ref().unwrap().card;
    let would = Would::of(account, card, bill).unwrap();
    let passes = would.passes.unwrap();
    let saved = passes.values().map(|pass| pass.saved_usd.unwrap().pico()).sum::<i128>();
    let net = would.paid.unwrap().minus(bill.cost.usd.unwrap()).unwrap().pico();
    assert_eq!(net, saved, "passes add up to all that was saved");
    (net, passes)
}

/// What a token costs, in pico-dollars.
fn rate(bucket: Bucket) -> i128 {
    bill(Usage::NONE.with(bucket, 1_000)).cost.usd.unwrap().pico() / 1_000
}

#[test]
fn removed_tokens_would_have_cost_what_those_around_them_did() {
    let usage = Usage::NONE.with(Bucket::CacheRead, 600).with(Bucket::CacheWrite5m, 400);
    let (net, _) = would(&account(false), &bill(usage));
    assert_eq!(net, 100 * rate(Bucket::CacheRead) + 100 * rate(Bucket::CacheWrite5m));
    let (net, _) = would(&account(false), &bill(Usage::NONE.with(Bucket::Input, 1_000)));
    assert_eq!(net, 200 * rate(Bucket::Input));
}

#[test]
fn how_the_provider_counts_tells_how_it_would_have_counted_the_rest() {
    let (net, _) = would(&account(false), &bill(Usage::NONE.with(Bucket::Input, 1_500)));
    assert_eq!(net, 300 * rate(Bucket::Input));
}

#[test]
fn a_first_write_that_only_we_asked_for_is_a_loss_of_the_cache() {
    let account = Account {
        receipt: Receipt { tokens_before: 1_000, tokens_after: 1_000, ..Receipt::default() },
        ..account(true)
    };
    let (net, passes) = would(&account, &bill(Usage::NONE.with(Bucket::CacheWrite5m, 1_000)));
    assert_eq!(net, 1_000 * (rate(Bucket::Input) - rate(Bucket::CacheWrite5m)));
    assert!(net < 0 && passes.contains_key(CACHE));
    let (net, _) = would(&account, &bill(Usage::NONE.with(Bucket::CacheRead, 1_000)));
    assert_eq!(net, 1_000 * (rate(Bucket::Input) - rate(Bucket::CacheRead)));
}

#[test]
fn what_an_edit_made_the_cache_write_again_is_its_debit() {
    let mut account = account(false);
    account.receipt.edits[0].verdict.rewritten = 300;
    let usage = Usage::NONE.with(Bucket::CacheRead, 600).with(Bucket::CacheWrite5m, 400);
    let (_, passes) = would(&account, &bill(usage));
    let debit = passes[CACHE].saved_usd.unwrap().pico();
    assert_eq!(debit, 300 * (rate(Bucket::CacheRead) - rate(Bucket::CacheWrite5m)));
}
