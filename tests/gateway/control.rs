//! Keys, and budgets that are changed while the gateway runs.

use farthing_fake_provider::Options;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{House, hello, hello_streamed};

fn api(house: &House, method: Method, path: &str, key: Option<&str>) -> RequestBuilder {
    let request = house.http.request(method, format!("{}/api/v1/{path}", house.address));
    match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    }
}

async fn json_of(answer: Response, status: u16) -> Value {
    assert_eq!(answer.status().as_u16(), status, "{}", answer.url());
    answer.json().await.unwrap()
}

/// Makes a key; gives its id and its secret.
async fn key(house: &House, by: Option<&str>, wish: Value) -> (String, String) {
    let made = api(house, Method::POST, "keys", by).json(&wish).send().await.unwrap();
    let made = json_of(made, 201).await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

async fn admin(house: &House) -> String {
    let wish = json!({ "id": "root", "user": "root", "role": "admin" });
    key(house, None, wish).await.1
}

#[tokio::test]
async fn the_first_key_closes_the_gateway_to_whoever_has_none() {
    let mut house = House::open().await;
    assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 200);
    let root = admin(&house).await;
    let refused = house.chat(&hello()).send().await.unwrap();
    assert_eq!(refused.headers()["x-farthing-error"], "missing_key");
    assert_eq!(refused.headers()["x-should-retry"], "false");
    let error = json_of(refused, 401).await;
    assert_eq!(error["error"]["code"], "invalid_api_key", "{error}");
    house.kill_and_restart().await;
    assert_eq!(house.get("/api/v1/requests").await.status(), 401);
    let seen = api(&house, Method::GET, "requests", Some(&root)).send().await.unwrap();
    assert_eq!(json_of(seen, 200).await["data"].as_array().unwrap().len(), 1);
    house.close().await;
}

#[tokio::test]
async fn x3_a_key_of_ours_reaches_no_provider_and_no_listing() {
    let house = House::open().await;
    let root = admin(&house).await;
    for header in ["authorization", "x-api-key", "x-goog-api-key", "x-farthing-key"] {
        let value = if header == "authorization" { format!("Bearer {root}") } else { root.clone() };
        let answer = house.chat(&hello()).header(header, value).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{header}");
    }
    for exchange in house.provider.log() {
        assert!(!format!("{exchange:?}").contains("fk_"), "{exchange:?}");
    }
    for path in ["keys", "audit"] {
        let listed = api(&house, Method::GET, path, Some(&root)).send().await.unwrap();
        assert!(!listed.text().await.unwrap().contains(&root[3..]), "{path}");
    }
    house.close().await;
}

#[tokio::test]
async fn x2_who_somebody_is_comes_from_the_key_alone() {
    let house = House::open().await;
    let root = admin(&house).await;
    let (_, ann) = key(&house, Some(&root), json!({ "user": "ann" })).await;
    let (_, desk) = key(&house, Some(&root), json!({ "service": true })).await;
    let named = |key: &str, user: &str| {
        house.chat(&hello()).bearer_auth(key).header("x-farthing-user", user).send()
    };
    assert_eq!(named(&ann, "bob").await.unwrap().status(), 403);
    assert_eq!(named(&ann, "ann").await.unwrap().status(), 200);
    assert_eq!(named(&desk, "bob").await.unwrap().status(), 200);
    let mut claiming = hello();
    claiming["user"] = json!("bob");
    let answer = house.chat(&claiming).bearer_auth(&ann).send().await.unwrap();
    let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
    let path = format!("requests/{id}");
    let mine = api(&house, Method::GET, &path, Some(&ann)).send().await.unwrap();
    assert_eq!(json_of(mine, 200).await["who"]["user"], "ann");

    // What is another's is not there at all.
    let seen = api(&house, Method::GET, "requests", Some(&ann)).send().await.unwrap();
    let seen = json_of(seen, 200).await;
    assert!(seen["data"].as_array().unwrap().iter().all(|row| row["who"]["user"] == "ann"));
    let theirs = api(&house, Method::GET, "requests?user=bob", Some(&ann)).send().await.unwrap();
    assert_eq!(theirs.status(), 403);
    for path in ["keys", "audit"] {
        let refused = api(&house, Method::GET, path, Some(&ann)).send().await.unwrap();
        assert_eq!(json_of(refused, 403).await["code"], "not_allowed");
    }
    house.close().await;
}

#[tokio::test]
async fn a_rotated_key_has_two_secrets_for_a_while_and_a_revoked_one_none() {
    let house = House::open().await;
    let root = admin(&house).await;
    let (id, first) = key(&house, Some(&root), json!({ "user": "ann" })).await;
    let calls =
        async |key: &str| house.chat(&hello()).bearer_auth(key).send().await.unwrap().status();
    let rotate = |overlap: i64| {
        let path = format!("keys/{id}/rotate");
        api(&house, Method::POST, &path, Some(&root)).json(&json!({ "overlap_seconds": overlap }))
    };
    let second = json_of(rotate(3_600).send().await.unwrap(), 200).await;
    let second = second["secret"].as_str().unwrap().to_owned();
    assert_eq!(
        (calls(&first).await, calls(&second).await),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
    json_of(rotate(0).send().await.unwrap(), 200).await;
    assert_eq!(calls(&second).await, 401);
    let revoked =
        api(&house, Method::DELETE, &format!("keys/{id}"), Some(&root)).send().await.unwrap();
    assert!(json_of(revoked, 200).await["revoked_at"].is_string());
    let log = api(&house, Method::GET, "audit", Some(&root)).send().await.unwrap();
    let log = json_of(log, 200).await;
    let actors: Vec<_> =
        log["data"].as_array().unwrap().iter().map(|row| &row["change"]["actor"]).collect();
    assert_eq!(actors, ["root", "root", "root", "root", "local"]);
    house.close().await;
}

#[tokio::test]
async fn a_key_calls_what_its_lists_allow() {
    let house = House::open().await;
    let root = admin(&house).await;
    let wish = json!({ "user": "ann", "models": ["gpt-4*"], "providers": ["openai"] });
    let (_, ann) = key(&house, Some(&root), wish).await;
    assert_eq!(house.chat(&hello()).bearer_auth(&ann).send().await.unwrap().status(), 200);
    let mut other = hello();
    other["model"] = json!("o3");
    let refused = house.chat(&other).bearer_auth(&ann).send().await.unwrap();
    assert_eq!(json_of(refused, 403).await["error"]["code"], "not_allowed");
    house.close().await;
}

#[tokio::test]
async fn b10_a_budget_set_while_it_runs_holds_from_the_next_call_on() {
    let mut house = House::open().await;
    assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 200);
    let put = |rule: Value| api(&house, Method::PUT, "budgets/calls", None).json(&rule).send();
    let rule = json!({ "scope": "user", "window": "day", "limit": { "requests": 2 } });
    let set = json_of(put(rule).await.unwrap(), 200).await;
    assert_eq!(set["balance"]["spent"]["requests"], 1, "another limit has counted the day's calls");
    assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 200);
    let refused = house.chat(&hello()).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.text().await.unwrap().contains("request"), "it names the unit");
    house.kill_and_restart().await;
    assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 429, "it outlives the process");
    let removed = api(&house, Method::DELETE, "budgets/calls", None).send().await.unwrap();
    assert_eq!(removed.status(), 204);
    assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 200);
    for (path, method, code) in [
        ("budgets/config.1", Method::DELETE, "taken"),
        ("budgets/nothing", Method::DELETE, "not_found"),
        ("budgets/nothing", Method::GET, "not_found"),
    ] {
        let refused = api(&house, method, path, None).send().await.unwrap();
        assert_eq!(refused.json::<Value>().await.unwrap()["code"], code);
    }
    house.close().await;
}

#[tokio::test]
async fn b16_clamp_shortens_the_answer_to_what_the_room_pays_for_and_says_so() {
    // gpt-4.1 costs 2 and 8 dollars a million: there is room for some 2,000 tokens.
    let settings = "[[budgets.limit]]\nscope = \"user\"\nwindow = \"day\"\nusd = \"0.0165\"\n\
                    policy = \"clamp\"\n";
    for body in [hello(), hello_streamed()] {
        let house = House::with(Options::default(), settings).await;
        let mut long = body.clone();
        long["max_completion_tokens"] = json!(20_000);
        let answer = house.chat(&long).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let limit: u64 =
            answer.headers()["x-farthing-max-tokens"].to_str().unwrap().parse().unwrap();
        assert!((1_900..2_100).contains(&limit), "{limit}");
        let sent: Value = serde_json::from_slice(&house.provider.log()[0].body).unwrap();
        assert_eq!(sent["max_completion_tokens"], limit);
        answer.bytes().await.unwrap();

        // Without a limit of its own, a request gets the configured one.
        let mut open = body;
        open.as_object_mut().unwrap().remove("max_completion_tokens");
        let answer = house.chat(&open).send().await.unwrap();
        assert!(answer.headers().contains_key("x-farthing-max-tokens"));
        answer.bytes().await.unwrap();
        house.close().await;
    }
}

#[tokio::test]
async fn b16_downgrade_takes_the_cheaper_model_and_says_so() {
    let settings = "[budgets]\ndowngrade = [[\"gpt-4.1\", \"gpt-4.1-nano\"]]\n\
                    [[budgets.limit]]\nscope = \"user\"\nwindow = \"day\"\nusd = \"0.001\"\n\
                    policy = \"downgrade\"\n";
    let house = House::with(Options::default(), settings).await;
    let mut body = hello();
    body["max_completion_tokens"] = json!(1_000);
    let answer = house.chat(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-farthing-downgraded-to"], "gpt-4.1-nano");
    let sent: Value = serde_json::from_slice(&house.provider.log()[0].body).unwrap();
    assert_eq!(sent["model"], "gpt-4.1-nano");
    assert_eq!(house.record(&answer).await["asked"]["model"], "gpt-4.1-nano");
    house.close().await;
}

#[tokio::test]
async fn bad_input_on_admin_routes_is_a_clear_error_and_changes_nothing() {
    let house = House::open().await;
    for (method, path, body) in [
        (Method::POST, "keys", "{"),
        (Method::POST, "keys", "{}"),
        (Method::POST, "keys", r#"{"user":"null"}"#),
        (Method::POST, "keys", r#"{"user":"ann","colour":"red"}"#),
        (Method::PUT, "budgets/a", r#"{"scope":"planet","window":"day","limit":{"usd":"1"}}"#),
        (Method::PUT, "budgets/a", r#"{"scope":"user","window":"day","limit":{"usd":"-1"}}"#),
        (Method::PUT, "budgets/a", r#"{"scope":"user","window":"day","limit":{"tokens":1.5}}"#),
        (Method::PUT, "budgets/a%20b", r#"{"scope":"user","window":"day","limit":{"usd":"1"}}"#),
    ] {
        let refused = api(&house, method, path, None).body(body).send().await.unwrap();
        let problem = json_of(refused, 400).await;
        assert_eq!(problem["code"], "invalid_parameter", "{path} {body}: {problem}");
    }
    let keys = api(&house, Method::GET, "keys", None).send().await.unwrap();
    assert_eq!(json_of(keys, 200).await["data"], json!([]));
    house.close().await;
}

#[tokio::test]
async fn sessions_are_opened_once_and_say_what_they_came_to() {
    let house = House::open().await;
    let wish = json!({ "user": "ann", "thread": "t", "run": "r" });
    let open = || api(&house, Method::POST, "sessions", None).json(&wish).send();
    let first = json_of(open().await.unwrap(), 201).await;
    let again = json_of(open().await.unwrap(), 200).await;
    assert_eq!(first["id"], again["id"]);
    for _ in 0..2 {
        let call = house.chat(&hello()).header("x-farthing-user", "ann");
        let call = call.header("x-farthing-thread", "t").header("x-farthing-run", "r");
        assert_eq!(call.send().await.unwrap().status(), 200);
    }
    let id = first["id"].as_str().unwrap();
    let shown = json_of(
        api(&house, Method::GET, &format!("sessions/{id}"), None).send().await.unwrap(),
        200,
    );
    let shown = shown.await;
    assert_eq!(shown["total"]["operations"], 2);
    assert_eq!(shown["ended"], Value::Null);
    let theirs = api(&house, Method::GET, &format!("sessions/{id}?user=bob"), None);
    assert_eq!(theirs.send().await.unwrap().status(), 404);
    let finalize = || api(&house, Method::POST, &format!("sessions/{id}/finalize"), None).send();
    let ended = json_of(finalize().await.unwrap(), 200).await;
    assert_eq!((&ended["ended"], &ended["total"]["operations"]), (&json!("finalized"), &json!(2)));
    assert_eq!(finalize().await.unwrap().status(), 404);
    assert_eq!(json_of(open().await.unwrap(), 201).await["total"]["operations"], 0);
    house.close().await;
}

#[tokio::test]
async fn b14_a_threshold_is_told_once_in_its_period() {
    let settings = "[alerts.operation]\nlow = \"0.0001\"\n[alerts.session]\nlow = \"0.0001\"\n\
                    [[budgets.limit]]\nscope = \"user\"\nwindow = \"day\"\nrequests = 5\n";
    let house = House::with(Options::default(), settings).await;
    let call = || {
        let call = house.chat(&hello()).header("x-farthing-thread", "t");
        call.header("x-farthing-run", "r").send()
    };
    for _ in 0..5 {
        assert_eq!(call().await.unwrap().status(), 200);
    }
    let mut told = house.get("/api/v1/events?after=none:0").await;
    let mut text = String::new();
    while text.matches("agent_completed").count() < 5 {
        text.push_str(std::str::from_utf8(&told.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert_eq!(text.matches("session ses_").count(), 1, "{text}");
    assert_eq!(text.matches("80 percent").count(), 1, "{text}");
    assert_eq!(text.matches("100 percent").count(), 1, "{text}");
    drop(told);
    house.close().await;
}

#[tokio::test]
async fn a_rate_without_room_says_when_to_come_back() {
    let settings = "[[rates.limit]]\nscope = \"user\"\nrequests = 2\nper_seconds = 3600\n";
    let house = House::with(Options::default(), settings).await;
    for _ in 0..2 {
        assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 200);
    }
    let limited = house.chat(&hello()).send().await.unwrap();
    assert_eq!(limited.headers()["x-farthing-error"], "rate_limit_exceeded");
    let wait: u32 = limited.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert!(!limited.headers().contains_key("x-should-retry"));
    assert_eq!(json_of(limited, 429).await["error"]["code"], "rate_limit_exceeded");
    let other = house.chat(&hello()).header("x-farthing-user", "bob").send().await.unwrap();
    assert_eq!(other.status(), 200);
    house.close().await;
}
