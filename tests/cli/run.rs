//! `farthing run` and `farthing env`, with scripts in place of the clients.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::Folder;

/// A folder with a client of this name, which says how it was called and fails.
fn folder(client: &str) -> Folder {
    let script = "#!/bin/sh\necho \"$ANTHROPIC_BASE_URL|$GOOGLE_GEMINI_BASE_URL\"\n\
                  echo \"$ANTHROPIC_AUTH_TOKEN|$GEMINI_API_KEY\"\nfor it; do echo \"$it\"; done\nexit 7\n";
    let folder = Folder::new().with(client, script);
    set_permissions(folder.path(client), Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path(".").display());
    folder.set("PATH", &path)
}

fn run(folder: &Folder, client: &str, listen: &str) -> Vec<String> {
    let run = folder.run(&["run", "--listen", listen, client, "--", "-p", "say it"]);
    assert_eq!((run.code, run.err.as_str()), (Some(7), ""), "{}", run.out);
    run.out.lines().map(str::to_owned).collect()
}

#[test]
fn a_client_is_told_the_address_and_its_exit_code_is_ours() {
    let said = run(&folder("claude"), "claude", "127.0.0.1:0");
    assert!(said[0].starts_with("http://127.0.0.1:") && said[0].ends_with('|'), "{said:?}");
    assert_eq!(said[1..], ["|", "-p", "say it"]);

    let said = run(&folder("gemini").set("FARTHING_KEY", "fk_1"), "gemini", "127.0.0.1:0");
    assert!(said[0].starts_with("|http://127.0.0.1:"), "{said:?}");
    assert_eq!(said[1], "|fk_1");

    let said = run(&folder("codex").set("FARTHING_KEY", "fk_1"), "codex", "127.0.0.1:0");
    assert_eq!((said[0].as_str(), said[3].as_str()), ("|", "model_provider=\"farthing\""));
    let provider = &said[5];
    assert!(provider.starts_with("model_providers.farthing={ name"), "{provider}");
    assert!(provider.contains("/v1\", wire_api = \"responses\", env_key = \"FARTHING_KEY\" }"));
    assert!(!said.concat().contains("fk_1"), "{said:?}");
}

#[test]
fn a_gateway_that_runs_is_used() {
    let folder = folder("claude");
    let serving = folder.serve("serve");
    let said = run(&folder, "claude", serving.address());
    assert_eq!(said[0], format!("http://{}|", serving.address()));
}

#[test]
fn what_keeps_a_client_from_running_is_said() {
    let folder = folder("claude");
    let err = folder.run(&["run", "--listen", "127.0.0.1:0", "codex"]).fails(1);
    assert!(err.contains("cannot start `codex`; install it, or put it on the PATH"), "{err}");
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    // Whoever connects is turned away.
    std::thread::spawn(move || other.incoming().for_each(drop));
    let err = folder.run(&["run", "--listen", &address, "claude"]).fails(1);
    assert!(err.contains(&format!("another program listens on {address}")), "{err}");
}

#[test]
fn env_prints_what_a_shell_takes_and_no_key() {
    let folder = Folder::new().set("FARTHING_KEY", "fk_1");
    let out = folder.run(&["env"]).ok();
    for line in [
        "export OPENAI_BASE_URL='http://127.0.0.1:4141/v1'",
        "export ANTHROPIC_BASE_URL='http://127.0.0.1:4141'",
        "export GOOGLE_GEMINI_BASE_URL='http://127.0.0.1:4141'",
        "export ANTHROPIC_AUTH_TOKEN=\"$FARTHING_KEY\"",
        "export OPENAI_API_KEY=\"$FARTHING_KEY\"",
    ] {
        assert!(out.lines().any(|it| it == line), "{line}: {out}");
    }
    assert!(!out.contains("fk_1"));
}
