//! How long it takes to load price lists, to find a model and to price a call.
//!
//! `cargo run --release -p farthing-core --example pricing`

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement: it reads the clock and prints"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use farthing_core::pricing::{Catalog, Dimension, Served};
use farthing_core::usage::{Bucket, Usage};
use jiff::Timestamp;

const ROUNDS: u32 = 200_000;

fn main() {
    let at: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    loading();
    let catalog = Catalog::embedded().expect("the embedded catalog");
    catalog.load().expect("the embedded catalog");
    let none = Served::new();
    let batch = Served::from([(Dimension::Processing, "batch".to_owned())]);
    for (provider, model, served) in [
        ("openai", "gpt-5.6-sol", &none),
        ("openai", "gpt-5.6-sol", &batch),
        ("openai", "gpt-4o-2024-08-06", &none),
        ("anthropic", "claude-sonnet-4-5-20250929", &none),
        ("google", "publishers/google/models/gemini-2.5-flash", &none),
        ("deepseek", "deepseek-v4-pro", &none),
        ("openrouter", "anthropic/claude-sonnet-4.5", &none),
        ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", &none),
    ] {
        let find = || catalog.resolve(provider, black_box(model), at, served).unwrap();
        let how = if served.is_empty() { "" } else { ", batch" };
        println!("find {provider} {model}{how}: {:?}", each(ROUNDS, || drop(black_box(find()))));
    }
    let card = catalog.resolve("openai", "gpt-5.6-sol", at, &none).unwrap().card;
    let usage = [
        (Bucket::Input, 1_647),
        (Bucket::CacheRead, 115_584),
        (Bucket::CacheWrite5m, 2_048),
        (Bucket::Output, 225),
        (Bucket::OutputReasoning, 1_024),
    ];
    let usage = usage.iter().fold(Usage::NONE, |usage, (bucket, n)| usage.with(*bucket, *n));
    let price = each(ROUNDS, || _ = black_box(card.cost(black_box(&usage))));
    println!("price five buckets: {price:?}");
}

/// Each price list for itself, as a command that needs one does, and all.
fn loading() {
    let mut all = Duration::ZERO;
    let catalog = Catalog::embedded().expect("the embedded catalog");
    for provider in catalog.providers() {
        let began = Instant::now();
        let models = catalog.models(provider).len();
        let took = began.elapsed();
        all += took;
        println!("load {provider}: {models} models, {took:?}");
    }
    println!("load all: {all:?}");
}

fn each(rounds: u32, mut what: impl FnMut()) -> Duration {
    let best = (0..5).map(|_| {
        let began = Instant::now();
        (0..rounds).for_each(|_| what());
        began.elapsed() / rounds
    });
    best.min().unwrap_or_default()
}
