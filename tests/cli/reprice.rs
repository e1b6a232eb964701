use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::anatomy::{Anatomy, ByKind, Method};
use farthing_core::budget::{Quantity, Rule, ScopeKind, Window};
use farthing_core::clock::Clock;
use farthing_core::entry::{Asked, AttemptId, Bill, Hold, Origin, Who};
use farthing_core::id::{ModelId, ProviderId, RequestId, TenantId, UserId};
use farthing_core::pricing::{Cost, Served};
use farthing_core::usage::{Bucket, Usage};
use farthing_ledger::{Ledger, Options, SqliteStore};

use crate::support::Folder;

const NOW: &str = "2026-11-20T12:00:00Z";
const OVERRIDE: &str = "[catalog.override.openai]\nour-chat = \"gpt-4.1\"\n";

/// A ledger with two calls of a model that no catalog knows, charged at a dollar each.
async fn ledger_of(folder: &Folder) {
    let clock = Clock::new(|| NOW.parse().unwrap());
    let store = SqliteStore::open(folder.path("farthing.db")).unwrap();
    let ledger = Ledger::open(store, clock, Options::default()).unwrap();
    let who = Arc::new(Who::new(TenantId::new("acme").unwrap(), UserId::new("ada").unwrap()));
    let model = ModelId::new("our-chat").unwrap();
    let limit = Quantity::Usd("100".parse().unwrap());
    let rule = Rule::new(ScopeKind::User, Window::Day, limit);
    let one: Usd = "1".parse().unwrap();
    let hold = Arc::new(Hold {
        amount: one,
        tokens: 3_000,
        deadline: NOW.parse().unwrap(),
        claims: rule.claim(&who, &model, NOW.parse().unwrap()).into_iter().collect(),
        asked: Asked {
            provider: ProviderId::new("openai").unwrap(),
            model: model.clone(),
            streamed: false,
            anatomy: Anatomy {
                by_kind: ByKind::default(),
                method: Method::Estimated,
                upper_bound: 2_000,
            },
        },
    });
    let bill = Arc::new(Bill {
        model,
        usage: Usage::NONE.with(Bucket::Input, 2_000).with(Bucket::Output, 500),
        origin: Origin::Measured,
        served: Served::new(),
        cost: Cost::UNPRICED,
        listed: None,
        charged: one,
        priced_by: None,
        others: Vec::new(),
    });
    for attempt in 1..=2 {
        let id = AttemptId { request: RequestId::new(uuid::Uuid::from_u128(7)), attempt };
        let held = ledger.hold(id, who.clone(), hold.clone(), Vec::new()).await.unwrap();
        held.settle(bill.clone());
    }
    ledger.close().await.unwrap();
    drop(ledger);
    // The writer's thread gives up its lock a moment later.
    for _ in 0..500 {
        if SqliteStore::open(folder.path("farthing.db")).is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the writer does not close");
}

#[tokio::test(flavor = "multi_thread")]
async fn b6_what_was_unpriced_is_priced_once_a_price_is_known_and_once_only() {
    let folder = Folder::new();
    ledger_of(&folder).await;
    let nothing = folder.run(&["reprice", "--json"]).json();
    assert_eq!(
        (&nothing["priced"], &nothing["unpriced"]["openai our-chat"]),
        (&0.into(), &2.into())
    );

    let folder = folder.with("farthing.toml", OVERRIDE);
    let priced = serde_json::json!({
        "priced": 2, "cost_usd": "0.016", "charged_usd": "-1.984", "unpriced": {},
    });
    assert_eq!(folder.run(&["reprice", "--dry-run", "--json"]).json(), priced);
    let early = folder.run(&["reprice", "--until", "2026-11-20", "--json"]).json();
    assert_eq!(early["priced"], 0, "they ended later");
    assert_eq!(folder.run(&["reprice", "--json"]).json(), priced);
    assert_eq!(folder.run(&["reprice", "--json"]).json()["priced"], 0, "a second run is none");

    let report = folder.run(&["verify", "--json"]).json();
    assert_eq!(report["differences"], serde_json::json!([]));
    assert_eq!(report["spent"], "0.016");
    assert_eq!(report["costs"]["derived"], 2);
    assert_eq!(report["costs"]["unknown"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_compared_by_day_and_model() {
    let folder = Folder::new();
    ledger_of(&folder).await;
    let folder = folder.with("farthing.toml", OVERRIDE);
    folder.run(&["reprice"]).ok();
    let export = |cost: &str| {
        format!(
            "start_time_iso,Model,Amount_Value,input_tokens,output_tokens\n\
             2026-11-20T00:00:00Z,\"gpt-4.1-2025-04-14, input\",0.008,4000,\n\
             2026-11-20T00:00:00Z,\"gpt-4.1-2025-04-14, output\",{cost},,1000\n"
        )
    };
    let folder = folder.with("same.csv", export("8e-3")).with("other.csv", export("0.009"));
    let same = folder.run(&["verify", "--invoice", "same.csv", "--json"]).json();
    let line = &same["lines"][0];
    assert_eq!((&line["day"], &line["model"]), (&"2026-11-20".into(), &"gpt-4.1".into()));
    assert_eq!(line["ours"], line["theirs"]);
    let differs = folder.run(&["verify", "--invoice", "other.csv"]);
    assert_eq!(differs.code, Some(1));
    assert!(differs.out.contains("-0.001  differs"), "{}", differs.out);
    let close = ["verify", "--invoice", "other.csv", "--tolerance", "0.001"];
    assert!(folder.run(&close).ok().contains("All agree."));
    let bad = folder.with("bad.csv", "date,model\n2026-11-20,gpt-4.1\n");
    let bad = bad.run(&["verify", "--invoice", "bad.csv"]).fails(1);
    assert!(bad.contains("no column for the cost"), "{bad}");
}

#[test]
fn models_are_compared_cheapest_first() {
    let names = "gpt-4.1,gpt-4.1-mini,claude-sonnet-4-5";
    let arguments =
        ["price", "--compare", "--models", names, "--providers", "openai,anthropic", "--json"];
    let counted = [&arguments[..], &["--input", "4000", "--output", "100"]].concat();
    let offers = Folder::new().run(&counted).json();
    let offers = offers.as_array().unwrap();
    let order: Vec<_> = offers.iter().map(|offer| offer["model"].as_str().unwrap()).collect();
    assert_eq!(order, ["gpt-4.1-mini", "gpt-4.1", "claude-sonnet-4-5"]);
    assert_eq!(offers[1]["cost_usd"], "0.0088");
    assert_eq!(offers[1]["cached_cost_usd"], "0.0028");
    let text = [&arguments[..], &["Tell me a story."]].concat();
    let offers = Folder::new().run(&text).json();
    let tokens = |n: usize| offers[n]["prompt_tokens"].as_u64().unwrap();
    assert_eq!(offers[0]["answer_tokens"].as_u64().unwrap(), tokens(0).div_ceil(4));
    let unknown = Folder::new().run(&["price", "--compare", "--models", "none", "x"]).fails(1);
    assert!(unknown.contains("no price is known for none"), "{unknown}");
}
