//! The provider's bill against the ledger.

use farthing_core::pricing::{Catalog, Served};
use farthing_core::usage::{Bucket, Usage};
use farthing_fake_provider::Usage as Billed;
use serde_json::{Value, json};

use crate::support::House;

/// That the ledger has every exchange of the provider once, with the tokens that the provider
/// billed and the cost of them by the catalog, and that its sums are those of the provider. Gives
/// the ledger's requests, newest first.
pub async fn assert_settled(house: &House) -> Vec<Value> {
    let exchanges = house.provider.log();
    let bill = exchanges.iter().map(|exchange| exchange.usage.expect("all are billed"));
    let mut billed: Vec<_> = bill.map(buckets_billed).collect();
    let requests = requests(house, billed.len()).await;
    let (mut recorded, mut pico_usd) = (Vec::new(), 0);
    for request in &requests {
        let record = house.record_of(request["request"].as_str().unwrap()).await;
        let usage = serde_json::from_value(record["usage"].clone()).unwrap();
        let (cost, by_catalog) = (&record["cost"], price(&usage, &record));
        let found = [&record["status"], &record["origin"], &cost["status"], &cost["pico_usd"]];
        assert_eq!(json!(found), json!(["settled", "measured", "priced", by_catalog]), "{record}");
        pico_usd += by_catalog;
        recorded.push(buckets(&usage));
    }
    billed.sort_unstable();
    recorded.sort_unstable();
    assert_eq!(recorded, billed);
    assert_sums(house, requests.len(), pico_usd).await;
    requests
}

/// The ledger's requests, once so many have ended.
async fn requests(house: &House, count: usize) -> Vec<Value> {
    let requests = |page: &Value| page["data"].as_array().unwrap().clone();
    let ended = |page: &Value| requests(page).iter().filter(|it| it["status"] != "open").count();
    let page = house.until("/api/v1/requests?limit=1000", |page| ended(page) >= count).await;
    requests(&page)
}

async fn assert_sums(house: &House, requests: usize, pico_usd: i128) {
    let [input, cache_read, cache_write_5m, cache_write_1h, output] =
        buckets_billed(house.provider.billed());
    let usage: Value = house.get("/api/v1/usage").await.json().await.unwrap();
    let sums = &usage["data"][0];
    let found =
        ["requests", "input", "cache_read", "cache_write", "output"].map(|name| &sums[name]);
    let cache_write = cache_write_5m + cache_write_1h;
    assert_eq!(json!(found), json!([requests, input, cache_read, cache_write, output]), "{usage}");
    assert_eq!(sums["cost"]["pico_usd"], json!(pico_usd), "{usage}");
}

/// Tokens of input, cache reads, cache writes for five minutes and for an hour, and output.
fn buckets(usage: &Usage) -> [u64; 5] {
    use Bucket::{CacheRead, CacheWrite1h, CacheWrite5m, Input};
    let [input, read, write_5m, write_1h] =
        [Input, CacheRead, CacheWrite5m, CacheWrite1h].map(|bucket| usage.get(bucket));
    [input, read, write_5m, write_1h, usage.completion()]
}

/// The same of the provider's bill, whose prompt includes what was cached.
fn buckets_billed(bill: Billed) -> [u64; 5] {
    let cached = [bill.cached_tokens, bill.cache_write_5m_tokens, bill.cache_write_1h_tokens];
    let input = bill.prompt_tokens - cached.iter().sum::<u64>();
    [input, cached[0], cached[1], cached[2], bill.completion_tokens]
}

/// What `usage` costs by the catalog, in pico-dollars.
fn price(usage: &Usage, record: &Value) -> i128 {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (provider, model) = (text(&record["asked"]["provider"]), text(&record["asked"]["model"]));
    let at = text(&record["held_at"]).parse().unwrap();
    let found = Catalog::embedded().unwrap().resolve(&provider, &model, at, &Served::new());
    found.unwrap().card.cost(usage).unwrap().usd.unwrap().pico()
}
