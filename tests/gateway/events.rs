//! Live events, derived from plain traffic.

use farthing_fake_provider::{Options, Script};
use futures_util::{SinkExt, StreamExt};
use reqwest::Response;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::anthropic;
use crate::support::{House, PATIENCE, hello, hello_streamed};

const TYPES: [&str; 5] =
    ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"];

/// Server-sent events, as far as they have come.
pub struct Listener {
    answer: Response,
    text: String,
}

impl Listener {
    pub async fn new(house: &House, query: &str) -> Listener {
        let answer = house.get(&format!("/api/v1/events{query}")).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut listener = Listener { answer, text: String::new() };
        // What comes after this is heard.
        while !listener.text.contains("\n\n") {
            listener.read().await;
        }
        listener
    }

    async fn read(&mut self) {
        let chunk = tokio::time::timeout(PATIENCE, self.answer.chunk()).await.unwrap();
        self.text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
    }

    /// The first so many events.
    pub async fn events(&mut self, count: usize) -> Vec<Value> {
        while events_in(&self.text).len() < count {
            self.read().await;
        }
        let events = events_in(&self.text);
        assert_eq!(events.len(), count, "{events:?}");
        for event in &events {
            assert!(TYPES.contains(&event["type"].as_str().unwrap()), "{event}");
        }
        events
    }
}

fn events_in(text: &str) -> Vec<Value> {
    let whole = text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
    let frames = whole.split("\n\n").filter(|frame| frame.starts_with("id: "));
    let data = frames.map(|frame| frame.split_once("\ndata: ").unwrap().1);
    data.map(|json| serde_json::from_str(json).unwrap()).collect()
}

pub fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

fn scripted() -> Options {
    let script = r#"[
        { "content": "Let me look.", "tool_calls": [
            { "id": "call_1", "name": "grep", "arguments": { "pattern": "x" } } ] },
        { "content": "Found it." }
    ]"#;
    Options { script: Script::from_json(script).unwrap(), ..Options::default() }
}

/// A request with a tool, in a conversation of these messages.
fn asking(streamed: bool, messages: &Value) -> Value {
    let tool = json!({ "type": "function", "function": { "name": "grep", "parameters": {} } });
    json!({
        "model": "gpt-4.1", "stream": streamed, "max_completion_tokens": 50,
        "messages": messages, "tools": [tool],
    })
}

fn first(streamed: bool) -> Value {
    asking(streamed, &json!([{ "role": "user", "content": "Find x." }]))
}

/// The second request of the conversation, with the tool's result.
fn second(streamed: bool) -> Value {
    asking(
        streamed,
        &json!([
            { "role": "user", "content": "Find x." },
            { "role": "assistant", "content": "Let me look.", "tool_calls": [
                { "id": "call_1", "type": "function",
                  "function": { "name": "grep", "arguments": "{\"pattern\":\"x\"}" } } ] },
            { "role": "tool", "tool_call_id": "call_1", "content": "a.rs:1: x" },
        ]),
    )
}

#[tokio::test]
async fn a_plain_conversation_tells_its_run_with_cost() {
    for streamed in [false, true] {
        let house = House::with(scripted(), "").await;
        let mut listener = Listener::new(&house, "").await;
        let mut spent = Vec::new();
        for body in [first(streamed), second(streamed)] {
            let answer = house.chat(&body).send().await.unwrap();
            spent.push(house.record(&answer).await["cost"]["usd"].as_str().unwrap().to_owned());
            answer.bytes().await.unwrap();
        }
        let events = listener.events(6).await;
        assert_eq!(
            types(&events),
            [
                "agent_started",
                "agent_thinking",
                "tool_executing",
                "tool_completed",
                "agent_thinking",
                "agent_completed",
            ]
        );
        assert_eq!(
            [&events[1], &events[4]].map(|it| it["cost"]["usd"].as_str().unwrap()),
            spent[..]
        );
        assert_eq!(
            (&events[2]["data"]["tool"], &events[3]["data"]["status"]),
            (&json!("grep"), &json!("ok"))
        );
        let same = |field: &str| events.iter().all(|event| event[field] == events[0][field]);
        assert!(same("run_id") && same("thread_id") && same("user_id") && same("epoch"));
        let places: Vec<_> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
        assert_eq!(places, [1, 2, 3, 4, 5, 6]);
        let total: f64 = spent.iter().map(|usd| usd.parse::<f64>().unwrap()).sum();
        let said: f64 = events[5]["run_total"]["usd"].as_str().unwrap().parse().unwrap();
        assert!((said - total).abs() < 1e-9);
        assert_eq!(events[1]["budget"]["scope"], "user");
        house.close().await;
    }
}

#[tokio::test]
async fn anthropics_clients_have_events_too_and_counting_has_none() {
    let house = House::open().await;
    let mut listener = Listener::new(&house, "").await;
    for body in [anthropic::hello(), anthropic::hello_streamed()] {
        let answer = house.message(&body).send().await.unwrap();
        answer.bytes().await.unwrap();
    }
    let events = listener.events(6).await;
    let run = ["agent_started", "agent_thinking", "agent_completed"];
    assert_eq!(types(&events), [run, run].concat());
    assert_ne!(events[0]["run_id"], events[3]["run_id"]);
    house.close().await;
}

#[tokio::test]
async fn x5_nobody_hears_another_and_filters_narrow_it() {
    let house = House::open().await;
    let mut ann = Listener::new(&house, "?user=ann").await;
    let mut bob = Listener::new(&house, "?user=bob&agent=tester").await;
    for (user, agent) in [("ann", "tester"), ("bob", "other"), ("bob", "tester"), ("eve", "tester")]
    {
        let call = house.chat(&hello()).header("x-farthing-user", user);
        call.header("x-farthing-agent", agent).send().await.unwrap();
    }
    for (listener, user) in [(&mut ann, "ann"), (&mut bob, "bob")] {
        let events = listener.events(3).await;
        assert!(events.iter().all(|it| it["user_id"] == user && it["agent"] == "tester"));
    }
    house.close().await;
}

#[tokio::test]
async fn after_a_kill_the_list_is_the_same() {
    let mut house = House::open().await;
    let mut listener = Listener::new(&house, "").await;
    for _ in 0..3 {
        house.chat(&hello()).send().await.unwrap();
    }
    let heard = listener.events(9).await;
    house.kill_and_restart().await;
    house.chat(&hello()).send().await.unwrap();
    let epoch = heard[0]["epoch"].as_str().unwrap();
    let mut again = Listener::new(&house, &format!("?after={epoch}:0")).await;
    let events = again.events(12).await;
    assert_eq!(events[..9], heard);
    assert!(again.text.starts_with("event: control\ndata: {\"type\":\"resumed\",\"from\":1,"));
    let lost = Listener::new(&house, "?after=elsewhere:7").await;
    assert!(lost.text.contains(r#""type":"gap""#) && lost.text.contains(r#""reason":"epoch""#));
    house.close().await;
}

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

async fn socket(house: &House, query: &str) -> Socket {
    let address = house.address.replace("http://", "ws://");
    connect_async(format!("{address}/api/v1/events{query}")).await.unwrap().0
}

async fn heard(socket: &mut Socket) -> Value {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Close(frame) => return json!({ "closed": u16::from(frame.unwrap().code) }),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_socket_says_the_same_resumes_and_is_told_when_the_gateway_stops() {
    let house = House::open().await;
    let mut first = socket(&house, "").await;
    assert_eq!(heard(&mut first).await["type"], "caught_up");
    house.chat(&hello_streamed()).send().await.unwrap().bytes().await.unwrap();
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(heard(&mut first).await);
    }
    assert_eq!(types(&events), ["agent_started", "agent_thinking", "agent_completed"]);

    let after = format!("{}:1", events[0]["epoch"].as_str().unwrap());
    let resume = json!({ "type": "resume", "after": after }).to_string();
    first.send(Message::Text(resume.into())).await.unwrap();
    assert_eq!(
        heard(&mut first).await,
        json!({ "type": "resumed", "from": 2, "to": 3, "count": 2 })
    );
    assert_eq!([heard(&mut first).await, heard(&mut first).await], events[1..]);
    assert_eq!(heard(&mut first).await["type"], "caught_up");

    let mut rude = socket(&house, "").await;
    heard(&mut rude).await;
    rude.send(Message::Text("gimme".into())).await.unwrap();
    assert_eq!(heard(&mut rude).await, json!({ "closed": 4_400 }));
    let closing = tokio::spawn(house.close());
    assert_eq!(heard(&mut first).await, json!({ "closed": 1_012 }));
    drop(first);
    closing.await.unwrap();
}

#[tokio::test]
async fn ag_ui_has_its_own_names() {
    let house = House::with(scripted(), "").await;
    let mut socket = socket(&house, "?format=ag-ui").await;
    heard(&mut socket).await;
    house.chat(&first(false)).send().await.unwrap();
    let mut names = Vec::new();
    for _ in 0..4 {
        names.push(heard(&mut socket).await["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(names, ["RUN_STARTED", "REASONING_START", "REASONING_END", "TOOL_CALL_START"]);
    drop(socket);
    house.close().await;
}

#[tokio::test]
async fn a_subscription_that_cannot_be_is_a_clear_error() {
    let house = House::open().await;
    for query in ["?after=nonsense", "?format=xml", "?user=null", "?colour=red"] {
        let answer = house.get(&format!("/api/v1/events{query}")).await;
        assert_eq!(answer.status(), 400, "{query}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "invalid_parameter");
    }
    house.close().await;
}
