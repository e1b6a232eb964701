use std::net::TcpListener;

use serde_json::Value;

use crate::support::{Folder, Run};

/// A folder whose settings name only what this machine has: a port to listen on, and one at which
/// providers take connections.
fn folder(listen: &str, provider: &TcpListener) -> Folder {
    let base_url = format!("http://{}/v1", provider.local_addr().unwrap());
    let text = format!(
        "[server]\nlisten = \"{listen}\"\n[provider.openai]\nbase_url = \"{base_url}\"\n\
         [provider.anthropic]\nbase_url = \"{base_url}\"\n\
         [provider.google]\nbase_url = \"{base_url}\"\n"
    );
    Folder::new().with("farthing.toml", text)
}

fn provider() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn report(run: Run, code: i32) -> Value {
    assert_eq!((run.code, run.err.as_str()), (Some(code), ""), "{}", run.out);
    serde_json::from_str(&run.out).unwrap()
}

/// The check of this name: its verdict and what was found.
fn check<'r>(report: &'r Value, name: &str) -> (&'r str, &'r str) {
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).expect("there is such a check");
    (check["verdict"].as_str().unwrap(), check["found"].as_str().unwrap())
}

#[test]
fn where_all_is_in_place_it_says_so() {
    let provider = provider();
    let folder = folder("127.0.0.1:0", &provider)
        .set("OPENAI_API_KEY", "sk-secret")
        .set("ANTHROPIC_API_KEY", "sk-secret")
        .set("GEMINI_API_KEY", "sk-secret");
    let out = folder.run(&["doctor"]).ok();
    assert!(out.ends_with("\nAll is in place.\n"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    assert!(!out.contains("sk-secret"));
    assert!(!folder.path("farthing.db").exists(), "it makes no ledger");
    let left: Vec<_> = std::fs::read_dir(folder.path(".")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_key_that_is_not_set_is_worth_a_word_and_no_failure() {
    let provider = provider();
    let run = folder("127.0.0.1:0", &provider).run(&["doctor", "--json"]);
    let report = report(run, 0);
    assert_eq!(report["ok"], true);
    assert_eq!(check(&report, "key of openai"), ("warn", "OPENAI_API_KEY is not set"));
    assert_eq!(check(&report, "prices of openai").0, "ok");
}

#[test]
fn a_provider_without_prices_is_worth_a_word() {
    let provider = provider();
    let text = format!(
        "[provider.mine]\ndialect = \"openai\"\nbase_url = \"http://{0}\"\n\
         [provider.openai]\nbase_url = \"http://{0}\"\n[provider.anthropic]\nbase_url = \"http://{0}\"\n\
         [provider.google]\nbase_url = \"http://{0}\"\n",
        provider.local_addr().unwrap()
    );
    let folder = Folder::new().with("farthing.toml", text);
    let listen = [("FARTHING_SERVER__LISTEN", "127.0.0.1:0")];
    let folder = listen.iter().fold(folder, |folder, (name, value)| folder.set(name, value));
    let report = report(folder.run(&["doctor", "--json"]), 0);
    assert_eq!(check(&report, "prices of mine").0, "warn");
    assert_eq!(check(&report, "key of mine").0, "ok");
}

#[test]
fn settings_that_will_not_do_are_all_that_is_said() {
    let folder = Folder::new().with("farthing.toml", "[server]\nlistn = 1\nlisten = \"x\"");
    let report = report(folder.run(&["doctor", "--json"]), 1);
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.iter().filter(|check| check["name"] == "settings").count(), 2);
    assert_eq!(check(&report, "counting").0, "ok");
    assert_eq!(checks.len(), 3);
}

#[test]
fn a_provider_that_takes_no_connection_is_a_failure() {
    let (there, gone) = (provider(), provider());
    let address = gone.local_addr().unwrap();
    drop(gone);
    let folder = folder("127.0.0.1:0", &there)
        .set("FARTHING_PROVIDER__OPENAI__BASE_URL", &format!("http://{address}/v1"));
    let report = report(folder.run(&["doctor", "--json"]), 1);
    let (verdict, found) = check(&report, "provider openai");
    assert_eq!(verdict, "fail");
    assert!(found.starts_with(&format!("{address} cannot be reached: ")), "{found}");
    assert_eq!(check(&report, "provider anthropic").0, "ok");
}

#[test]
fn a_port_is_free_or_a_gateways_or_taken() {
    let provider = provider();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    // It takes connections and never answers, as some programs do; closing it is an answer.
    let accepting = std::thread::spawn(move || drop(other.accept()));
    let run = folder(&taken, &provider).run(&["doctor", "--json"]);
    accepting.join().unwrap();
    let report_of_taken = report(run, 1);
    let (verdict, found) = check(&report_of_taken, "port");
    assert_eq!((verdict, found), ("fail", format!("another program listens on {taken}").as_str()));

    let house = Folder::new();
    let serving = house.serve("serve");
    let here = folder(serving.address(), &provider)
        .set("FARTHING_STORE__PATH", house.path("farthing.db").to_str().unwrap());
    let report = report(here.run(&["doctor", "--json"]), 0);
    let found = format!("a farthing answers at {}", serving.address());
    assert_eq!(check(&report, "port"), ("ok", found.as_str()));
    assert!(check(&report, "ledger").1.contains("in use by a running farthing, 0 entries"));
}

#[test]
fn what_is_no_ledger_is_a_failure() {
    let provider = provider();
    let folder = folder("127.0.0.1:0", &provider).with("notes.txt", "x".repeat(5_000));
    let report = report(folder.run(&["doctor", "--json", "--store", "notes.txt"]), 1);
    assert_eq!(check(&report, "ledger").0, "fail");
}
