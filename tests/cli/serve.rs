use crate::support::Folder;

#[test]
fn the_greeting_is_what_clients_need() {
    for command in ["serve", "up"] {
        let folder = Folder::new();
        let serving = folder.serve(command);
        let address = serving.address();
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "farthing {version} listens on http://{address}\n  \
             settings  from the defaults: there is no farthing.toml in the current folder\n  \
             ledger    farthing.db\n  \
             access    open, to programs on this machine only (there are no keys yet)\n\n\
             Paste into the shell of a program to send its calls through here:\n  \
             export {:<45}  # OpenAI SDKs\n  \
             export {:<45}  # Claude Code\n  \
             export {:<45}  # Gemini CLI\n\n\
             To say on whose account a call is, send the header x-farthing-user: NAME.\n",
            format!("OPENAI_BASE_URL=http://{address}/v1"),
            format!("ANTHROPIC_BASE_URL=http://{address}"),
            format!("GOOGLE_GEMINI_BASE_URL=http://{address}"),
        );
        assert_eq!(serving.greeting, expected);
        assert!(expected.lines().all(|line| line.chars().count() <= 80), "{expected}");
    }
}

#[test]
fn a_gateway_without_keys_listens_on_this_machine_only() {
    let err = Folder::new().run(&["serve", "--listen", "0.0.0.0:0"]).fails(1);
    assert!(err.contains("whoever reaches 0.0.0.0:0 could spend your money"), "{err}");
}

#[test]
fn settings_that_will_not_do_keep_it_from_starting() {
    let folder = Folder::new().with("farthing.toml", "[server]\nlistn = 1\n[store]\npath = 2");
    let err = folder.run(&["serve"]).fails(1);
    assert!(err.starts_with("farthing: 2 problems in the configuration\n  unknown key"), "{err}");
    assert!(!folder.path("farthing.db").exists());
}
