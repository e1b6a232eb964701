//! The least HTTP client that can see how a connection ends.

use std::time::Duration;

use farthing_fake_provider::{FakeProvider, Options, Script};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Longer than anything here takes, so that a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// The headers of a client of Anthropic's.
pub(crate) const ANTHROPIC: &str = "x-api-key: sk-ant-test\r\nanthropic-version: 2023-06-01\r\n";

/// What came back before the connection closed.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// Whether the body ended as it should.
    pub(crate) is_complete: bool,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The data of all events.
    pub(crate) fn events(&self) -> Vec<&str> {
        let events = self.body.split_terminator("\n\n");
        events.map(|event| event.strip_prefix("data: ").unwrap()).collect()
    }

    /// The names and the data of all events.
    pub(crate) fn named_events(&self) -> Vec<(&str, Value)> {
        let events = self.body.split_terminator("\n\n");
        let parts = events.map(|event| {
            event.strip_prefix("event: ").and_then(|rest| rest.split_once("\ndata: ")).unwrap()
        });
        parts.map(|(name, data)| (name, serde_json::from_str(data).unwrap())).collect()
    }

    /// The chunks before `[DONE]`.
    pub(crate) fn chunks(&self) -> Vec<Value> {
        let events = self.events();
        let (done, chunks) = events.split_last().unwrap();
        assert_eq!(*done, "[DONE]");
        chunks.iter().map(|chunk| serde_json::from_str(chunk).unwrap()).collect()
    }
}

pub(crate) async fn start() -> FakeProvider {
    FakeProvider::start(Options::default()).await.unwrap()
}

pub(crate) async fn start_with(script: &str) -> FakeProvider {
    let script = Script::from_json(script).unwrap();
    FakeProvider::start(Options { script, ..Options::default() }).await.unwrap()
}

pub(crate) async fn connect(provider: &FakeProvider) -> TcpStream {
    let base = provider.anthropic_base_url();
    TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap()
}

/// A chat completions request with this body.
pub(crate) fn post(body: &Value) -> String {
    request("POST", "/v1/chat/completions", "authorization: Bearer sk-test\r\n", &body.to_string())
}

pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\
         content-length: {length}\r\n\r\n{body}"
    )
}

/// Sends the chat completions request and reads its answer.
pub(crate) async fn chat(provider: &FakeProvider, body: &Value) -> Answer {
    exchange(provider, &post(body)).await.unwrap()
}

/// Sends the messages request and reads its answer.
pub(crate) async fn messages(provider: &FakeProvider, body: &Value) -> Answer {
    let request = request("POST", "/v1/messages", ANTHROPIC, &body.to_string());
    exchange(provider, &request).await.unwrap()
}

/// Sends `request` and reads all that comes back; `None` if that is nothing.
pub(crate) async fn exchange(provider: &FakeProvider, request: &str) -> Option<Answer> {
    let mut connection = connect(provider).await;
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    timeout(PATIENCE, connection.read_to_end(&mut bytes)).await.unwrap().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let (body, is_complete) = if head.contains("transfer-encoding: chunked") {
        dechunked(body)
    } else {
        let is_complete = head.contains(&format!("content-length: {}", body.len()));
        (body.to_owned(), is_complete)
    };
    Some(Answer { status, head: head.to_owned(), body, is_complete })
}

fn dechunked(mut rest: &str) -> (String, bool) {
    let mut body = String::new();
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return (body, true);
        }
        body.push_str(&after[..length]);
        rest = &after[length + 2..];
    }
    (body, false)
}

/// Reads until what came so far contains `wanted`.
pub(crate) async fn read_until(connection: &mut TcpStream, wanted: &str) -> String {
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains(wanted) {
        let read = timeout(PATIENCE, connection.read_buf(&mut bytes)).await.unwrap().unwrap();
        assert_ne!(read, 0, "closed before {wanted:?} came");
    }
    String::from_utf8(bytes).unwrap()
}

/// Waits for what the server does after the client has gone.
pub(crate) async fn eventually(condition: impl Fn() -> bool) {
    let holds = async {
        while !condition() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, holds).await.unwrap();
}
