//! Farthing's own API.

use farthing_fake_provider::{Fault, Options};
use serde_json::{Value, json};

use crate::support::{House, hello};

#[tokio::test]
async fn requests_are_listed_newest_first_by_pages() {
    let house = House::open().await;
    for user in ["ada", "bob", "ada"] {
        let call = house.chat(&hello()).header("x-farthing-user", user);
        assert_eq!(call.send().await.unwrap().status(), 200);
    }
    house.until("/api/v1/usage", |usage| usage["data"][0]["requests"] == 3).await;
    let page: Value = house.get("/api/v1/requests?limit=2").await.json().await.unwrap();
    assert_eq!((page["data"].as_array().unwrap().len(), &page["has_more"]), (2, &json!(true)));
    let after = page["next_cursor"].as_str().unwrap();
    let rest = house.get(&format!("/api/v1/requests?limit=2&after={after}")).await;
    let rest: Value = rest.json().await.unwrap();
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["has_more"]), (1, &json!(false)));
    let ids =
        [&page["data"][0], &page["data"][1], &rest["data"][0]].map(|row| row["request"].clone());
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
    assert!(page["data"][0]["at"].as_str() >= page["data"][1]["at"].as_str());
}

#[tokio::test]
async fn a_query_for_one_user_sees_nothing_of_another() {
    let house = House::open().await;
    let call = house.chat(&hello()).header("x-farthing-user", "ada").send().await.unwrap();
    let id = call.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
    house.record(&call).await;
    let requests: Value = house.get("/api/v1/requests?user=bob").await.json().await.unwrap();
    assert_eq!(requests["data"], json!([]));
    let usage: Value = house.get("/api/v1/usage?user=bob").await.json().await.unwrap();
    assert_eq!(usage["data"], json!([]));
    let others = house.get(&format!("/api/v1/requests/{id}?user=bob")).await;
    let nobodys = house.get("/api/v1/requests/req_00000000000000000000000000000007?user=bob").await;
    assert_eq!(
        (others.status(), nobodys.status()),
        (404.try_into().unwrap(), 404.try_into().unwrap())
    );
}

#[tokio::test]
async fn usage_is_grouped_as_asked() {
    let house = House::open().await;
    for (user, model) in [("ada", "gpt-4.1"), ("bob", "gpt-4.1"), ("bob", "gpt-4o-mini")] {
        let mut body = hello();
        body["model"] = json!(model);
        house.chat(&body).header("x-farthing-user", user).send().await.unwrap();
    }
    house.until("/api/v1/usage", |usage| usage["data"][0]["requests"] == 3).await;
    let groups = |answer: Value| {
        let rows = answer["data"].as_array().unwrap().clone();
        let mut rows: Vec<_> = rows
            .iter()
            .map(|r| (r["group"].as_str().unwrap().to_owned(), r["requests"].clone()))
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows
    };
    let by_user = house.get("/api/v1/usage?group_by=user").await.json().await.unwrap();
    assert_eq!(groups(by_user), [("ada".into(), json!(1)), ("bob".into(), json!(2))]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_problem_with_a_code() {
    let house = House::open().await;
    let cases = [
        ("/api/v1/requests?limit=0", 400, "invalid_parameter"),
        ("/api/v1/requests?limit=many", 400, "invalid_parameter"),
        ("/api/v1/requests?after=nonsense", 400, "invalid_parameter"),
        ("/api/v1/requests/req_7", 404, "not_found"),
        ("/api/v1/usage?group_by=mood", 400, "invalid_parameter"),
        ("/api/v1/usage?since=yesterday", 400, "invalid_parameter"),
        ("/api/v1/requests?user=null", 400, "invalid_parameter"),
        ("/v1/nowhere", 404, "no_such_route"),
        ("/v1/chat/completions", 405, "wrong_method"),
    ];
    for (path, status, code) in cases {
        let answer = house.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], code, "{path}: {problem}");
    }
}

#[tokio::test]
async fn health_says_what_is_so() {
    let house = House::open().await;
    assert_eq!(house.get("/healthz").await.status(), 200);
    let ready = house.get("/readyz").await;
    assert_eq!(ready.status(), 200);
    assert_eq!(ready.json::<Value>().await.unwrap()["status"], "ready");
}

#[tokio::test]
async fn m4_each_component_says_how_it_stands_and_since_when() {
    let house = House::with(Options::default(), "[upstream]\nbreaker_faults = 2\n").await;
    let health = || async { house.get("/api/v1/health").await.json::<Value>().await.unwrap() };
    assert_eq!(health().await["status"], "ok");
    for expected in ["degraded", "down"] {
        house.provider.answer_next_with(Fault::Status(500));
        house.chat(&hello()).send().await.unwrap();
        let health = health().await;
        let [anthropic, _, openai] = health["providers"].as_array().unwrap().as_slice() else {
            panic!("{health}")
        };
        assert_eq!((&anthropic["status"], &openai["status"]), (&"ok".into(), &expected.into()));
        assert_eq!(openai["since"].is_string(), expected == "down");
        assert!(openai["effect"].is_string());
        // One provider is still well, and so is the ledger.
        assert_eq!(
            (&health["ledger"]["status"], &health["status"]),
            (&"ok".into(), &"degraded".into())
        );
    }
}

#[tokio::test]
async fn metrics_count_what_happened_and_name_nobody() {
    let house = House::open().await;
    let call = house.chat(&hello()).header("x-farthing-user", "ada");
    let answer = call.header("x-farthing-thread", "secret-thread").send().await.unwrap();
    house.record(&answer).await;
    house.post("{").send().await.unwrap();
    let text = house.get("/metrics").await.text().await.unwrap();
    for part in [
        "farthing_requests_total{code=\"ok\"} 1",
        "farthing_tokens_total{provider=\"openai\",model=\"gpt-4.1\",type=\"input\"}",
        "farthing_cost_usd_total{provider=\"openai\",model=\"gpt-4.1\",status=\"priced\"} 0.0",
        "farthing_overhead_seconds_count 1",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("ada") && !text.contains("secret-thread"), "{text}");
}
