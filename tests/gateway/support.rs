//! A gateway to test: the binary as a process, its ledger in a folder of its own, and the fake
//! provider in this process.

use std::process::Stdio;
use std::time::Duration;

use farthing_fake_provider::{FakeProvider, Options};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// What every test may take, at the most.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct House {
    pub provider: FakeProvider,
    pub http: Client,
    pub address: String,
    process: Child,
    folder: TempDir,
}

impl House {
    /// A gateway with default settings before a provider that answers at once.
    pub async fn open() -> House {
        House::with(Options::default(), "").await
    }

    /// A gateway with more settings.
    pub async fn with(options: Options, settings: &str) -> House {
        let provider = FakeProvider::start(options).await.unwrap();
        let folder = TempDir::new().unwrap();
        let text = format!(
            "[provider.anthropic]\nbase_url = \"{}/v1\"\napi_key_env = \"TEST_KEY\"\n\
             [provider.google]\nbase_url = \"{}\"\napi_key_env = \"TEST_KEY\"\n\
             [provider.openai]\nbase_url = \"{}\"\napi_key_env = \"TEST_KEY\"\n{settings}",
            provider.anthropic_base_url(),
            provider.gemini_base_url(),
            provider.base_url()
        );
        std::fs::write(folder.path().join("farthing.toml"), text).unwrap();
        let (process, address) = start(&folder).await;
        // Whichever test comes first installs it for all.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        House { provider, http, address, process, folder }
    }

    /// A call: `POST /v1/chat/completions`.
    pub fn chat(&self, body: &Value) -> RequestBuilder {
        self.post(body.to_string())
    }

    /// A call with any body.
    pub fn post(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let url = format!("{}/v1/chat/completions", self.address);
        self.http.post(url).header("content-type", "application/json").body(body)
    }

    /// Something of Farthing's own API.
    pub async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.address)).send().await.unwrap()
    }

    /// The ledger's record of the request that an answer belongs to, once it has ended.
    pub async fn record(&self, answer: &Response) -> Value {
        let id = answer.headers()["x-farthing-request-id"].to_str().unwrap();
        self.record_of(id).await
    }

    /// The ledger's record of a request's only attempt, once it has ended.
    pub async fn record_of(&self, id: &str) -> Value {
        let mut attempts = self.attempts_of(id).await;
        assert_eq!(attempts.len(), 1, "{attempts:?}");
        attempts.remove(0)
    }

    /// The ledger's records of a request's attempts, once they have ended.
    pub async fn attempts_of(&self, id: &str) -> Vec<Value> {
        let path = format!("/api/v1/requests/{id}");
        let attempts = |record: &Value| record["attempts"].as_array().unwrap().clone();
        let ended = |record: &Value| attempts(record).iter().all(|it| it["status"] != "open");
        attempts(&self.until(&path, ended).await)
    }

    /// Asks until the answer is as wished: what ended a moment ago may not be committed yet.
    pub async fn until(&self, path: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let asked = async {
            loop {
                let answer = self.get(path).await;
                if answer.status().is_success() {
                    last = answer.json().await.unwrap();
                    if wished(&last) {
                        return;
                    }
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, asked).await.is_ok();
        assert!(in_time, "{path} stayed at {last}");
        last
    }

    /// Stops the gateway in order and checks its ledger: `farthing verify` finds no difference.
    pub async fn close(mut self) -> Value {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        assert!(ended.expect("the gateway stops").unwrap().success());
        self.verify().await
    }

    /// Kills the gateway as a power cut would, and starts it again on the same ledger.
    pub async fn kill_and_restart(&mut self) {
        self.process.kill().await.unwrap();
        (self.process, self.address) = start(&self.folder).await;
    }

    /// The report of `farthing verify`, which must be clean.
    pub async fn verify(&self) -> Value {
        let output = farthing(&self.folder, &["verify", "--json"]).output().await.unwrap();
        let report = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&report).unwrap()
    }
}

/// A request with one short message.
pub fn hello() -> Value {
    json!({
        "model": "gpt-4.1",
        "max_completion_tokens": 50,
        "messages": [{ "role": "user", "content": "Say something short." }],
    })
}

/// The same, streamed.
pub fn hello_streamed() -> Value {
    let mut body = hello();
    body["stream"] = json!(true);
    body
}

async fn start(folder: &TempDir) -> (Child, String) {
    let mut serve = farthing(folder, &["serve", "--listen", "127.0.0.1:0"]);
    let mut process = serve.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let greeting = lines.next_line().await.unwrap().expect("the gateway says where it listens");
    let (_, address) = greeting.split_once("listens on ").unwrap();
    // Read on, so that the process never waits for a full pipe.
    let address = address.to_owned();
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (process, address)
}

fn farthing(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    command
        .args(arguments)
        .args(["--config".as_ref(), folder.path().join("farthing.toml").as_os_str()])
        .args(["--store".as_ref(), folder.path().join("ledger.db").as_os_str()])
        .env("TEST_KEY", "sk-test-provider-key");
    command
}
