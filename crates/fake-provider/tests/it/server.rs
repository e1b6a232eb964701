use std::collections::HashSet;

use farthing_fake_provider::{FakeProvider, Options, Usage};
use serde_json::json;
use tokio::net::TcpStream;

use crate::http::{chat, eventually, exchange, request, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_requests_at_once_are_answered_logged_and_billed() {
    let provider = start().await;
    let bodies: Vec<_> = (0..50)
        .map(|number| {
            let content = format!("Question {number}");
            json!({
                "model": "gpt-4o", "messages": [{"role": "user", "content": content}],
                "stream": number % 2 == 0,
            })
        })
        .collect();
    let answers = bodies.iter().map(|body| chat(&provider, body));
    let answers = futures_util::future::join_all(answers).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.is_complete));

    let log = provider.log();
    let logged: HashSet<_> = log.iter().map(|exchange| exchange.body.clone()).collect();
    assert_eq!((log.len(), logged.len()), (50, 50));
    let mut billed = Usage::default();
    for exchange in &log {
        assert!(!exchange.client_left);
        billed += exchange.usage.unwrap();
    }
    assert_eq!(provider.billed(), billed);
}

#[tokio::test]
async fn a_request_is_logged_as_it_was_sent_even_where_nothing_is_served() {
    let provider = start().await;
    let headers = "X-Trace: one\r\nX-Trace: two\r\nauthorization: Bearer sk-test\r\n";
    let request = request("POST", "/v1/nowhere?a=b", headers, "any bytes");
    let answer = exchange(&provider, &request).await.unwrap();
    assert_eq!(answer.status, 404);
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("/v1/nowhere"));

    let exchange = &provider.log()[0];
    assert_eq!((exchange.method.as_str(), exchange.path.as_str()), ("POST", "/v1/nowhere?a=b"));
    assert_eq!(exchange.body, "any bytes");
    assert_eq!(exchange.status, Some(404));
    let names: Vec<_> = exchange.headers.keys().map(|name| name.as_str()).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    assert_eq!(exchange.headers.get_all("x-trace").iter().collect::<Vec<_>>(), ["one", "two"]);
}

#[tokio::test]
async fn a_body_of_64_mib_is_read_and_a_longer_one_refused() {
    let provider = start().await;
    for (bytes, status) in [(64 << 20, 404), ((64 << 20) + 1, 413)] {
        let body = " ".repeat(bytes);
        let headers = "authorization: Bearer sk-test\r\n";
        let request = request("POST", "/v1/nowhere", headers, &body);
        let answer = exchange(&provider, &request).await.unwrap();
        assert_eq!(answer.status, status);
        assert!(answer.json()["error"].is_object());
    }
}

#[tokio::test]
async fn a_dropped_provider_frees_its_port() {
    let provider = start().await;
    let base = provider.anthropic_base_url();
    assert_eq!(provider.base_url(), format!("{base}/v1"));
    let address = base.trim_start_matches("http://").to_owned();
    let port = address.rsplit(':').next().unwrap().parse().unwrap();
    assert!(FakeProvider::start(Options { port, ..Options::default() }).await.is_err());
    drop(provider);
    eventually(|| std::net::TcpStream::connect(&address).is_err()).await;
    assert!(TcpStream::connect(&address).await.is_err());
    FakeProvider::start(Options { port, ..Options::default() }).await.unwrap();
}
