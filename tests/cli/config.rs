use serde_json::json;

use crate::support::Folder;

const FILE: &str = "\
[server]
listen = \"127.0.0.1:9\"

[provider.spare]
dialect = \"openai\"
base_url = \"http://127.0.0.1:8/v1\"

[[budgets.limit]]
scope = \"tenant\"
window = \"day\"
usd = \"7\"
";

/// The lines of `config show --origin` that do not say `default`, their padding left out.
fn shown(folder: &Folder, arguments: &[&str]) -> Vec<String> {
    let out = folder.run(&[&["config", "show", "--origin"], arguments].concat()).ok();
    let own = out.lines().filter(|line| line.contains("  # ") && !line.ends_with("# default"));
    own.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn each_setting_says_where_it_comes_from() {
    let folder = Folder::new()
        .with("farthing.toml", FILE)
        .set("FARTHING_SERVER__MAX_BODY_BYTES", "1_000")
        .set("FARTHING_LOG", "warn");
    assert_eq!(
        shown(&folder, &["--store", "other.db"]),
        [
            "listen = \"127.0.0.1:9\" # farthing.toml:2",
            "max_body_bytes = 1000 # env FARTHING_SERVER__MAX_BODY_BYTES",
            "path = \"other.db\" # flag --store",
            "dialect = \"openai\" # farthing.toml:5",
            "base_url = \"http://127.0.0.1:8/v1\" # farthing.toml:6",
            "[[budgets.limit]] # farthing.toml:8",
            "scope = \"tenant\" # farthing.toml:8",
            "usd = \"7\" # farthing.toml:8",
            "window = \"day\" # farthing.toml:8",
        ]
    );
}

#[test]
fn what_is_shown_can_be_given_back() {
    let folder = Folder::new().with("farthing.toml", FILE);
    let first = folder.run(&["config", "show"]).ok();
    let again = Folder::new().with("shown.toml", &first);
    assert_eq!(again.run(&["config", "show", "--config", "shown.toml"]).ok(), first);
    let with_origin = folder.run(&["config", "show", "--origin"]).ok();
    let again = Folder::new().with("shown.toml", with_origin);
    assert_eq!(again.run(&["config", "show", "--config", "shown.toml"]).ok(), first);
}

#[test]
fn the_file_is_the_one_that_is_named_or_else_the_one_in_the_folder() {
    let folder = Folder::new()
        .with("farthing.toml", "[store]\npath = \"here\"")
        .with("named.toml", "[store]\npath = \"named\"")
        .with("given.toml", "[store]\npath = \"given\"");
    let head = |out: String| out.lines().next().unwrap().to_owned();
    let show = ["config", "show", "--origin"];
    assert_eq!(shown(&folder, &[]), ["path = \"here\" # farthing.toml:2"]);
    assert_eq!(head(folder.run(&show).ok()), "# from farthing.toml, found in the current folder");
    let folder = folder.set("FARTHING_CONFIG", "named.toml");
    assert_eq!(shown(&folder, &[]), ["path = \"named\" # named.toml:2"]);
    assert_eq!(head(folder.run(&show).ok()), "# from named.toml, named in FARTHING_CONFIG");
    let given = ["--config", "given.toml"];
    assert_eq!(shown(&folder, &given), ["path = \"given\" # given.toml:2"]);
    assert_eq!(
        head(Folder::new().run(&show).ok()),
        "# from the defaults: there is no farthing.toml in the current folder"
    );
}

#[test]
fn settings_are_there_as_json() {
    let folder = Folder::new().with("farthing.toml", FILE);
    let shown = folder.run(&["config", "show", "--json"]).json();
    let expected = json!({
        "key": "server.listen", "value": "127.0.0.1:9", "origin": "farthing.toml:2"
    });
    assert_eq!(shown[0], expected);
}

#[test]
fn a_key_is_never_shown() {
    let folder = Folder::new().set("OPENAI_API_KEY", "sk-secret");
    for arguments in [&["config", "show", "--origin"][..], &["config", "show", "--json"]] {
        let out = folder.run(arguments).ok();
        assert!(out.contains("OPENAI_API_KEY") && !out.contains("sk-secret"));
    }
    let folder = folder.with("farthing.toml", "[provider.openai]\napi_key_env = \"sk-secret\"");
    let run = folder.run(&["config", "check"]);
    assert!(run.code == Some(1) && !run.out.contains("sk-secret"), "{}", run.out);
}

#[test]
fn a_check_tells_all_problems_at_once() {
    let folder = Folder::new()
        .with("mine.toml", "[server]\nlistn = \"x\"\n[budgets]\nunpriced = \"ignore\"\n")
        .set("FARTHING_SERVER_LISTEN", "127.0.0.1:1");
    let problems = [
        "unknown key `server.listn` in mine.toml line 2; did you mean `server.listen`?",
        "`budgets.unpriced` in mine.toml line 4: unknown variant `ignore`, expected one of \
         `block`, `reserve_max`, `allow`",
        "unknown variable `FARTHING_SERVER_LISTEN`; did you mean `FARTHING_SERVER__LISTEN`?",
    ];
    let run = folder.run(&["config", "check", "mine.toml"]);
    assert_eq!((run.code, run.err.as_str()), (Some(1), ""));
    assert_eq!(run.out.lines().collect::<Vec<_>>(), problems);

    let run = folder.run(&["config", "check", "mine.toml", "--json"]);
    assert_eq!(run.code, Some(1));
    let json: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(json, json!({ "ok": false, "file": "mine.toml", "problems": problems }));
}

#[test]
fn a_check_finds_what_only_shows_when_all_is_put_together() {
    for (text, problem) in [
        ("[provider.openai]\nfallback = [\"spare\"]", "[provider.openai]: fallback `spare` is not"),
        (
            "[provider.spare]\ndialect = \"openai\"",
            "[provider.spare] in farthing.toml line 2: miss",
        ),
    ] {
        let run = Folder::new().with("farthing.toml", text).run(&["config", "check"]);
        assert!(run.code == Some(1) && run.out.starts_with(problem), "{}", run.out);
    }
}

#[test]
fn a_file_that_is_right_is_said_to_be() {
    let folder = Folder::new().with("mine.toml", FILE);
    let out = folder.run(&["config", "check", "mine.toml"]).ok();
    assert_eq!(out, "ok, from mine.toml, given with --config\n");
    assert_eq!(folder.run(&["config", "check", "--json"]).json()["ok"], true);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    for arguments in
        [&["config", "show", "--config", "gone.toml"][..], &["serve", "--config", "gone.toml"]]
    {
        let err = Folder::new().run(arguments).fails(1);
        assert!(err.starts_with("farthing: configuration gone.toml cannot be read: "), "{err}");
    }
    let run = Folder::new().run(&["config", "check", "gone.toml"]);
    assert!(
        run.code == Some(1) && run.out.starts_with("configuration gone.toml cannot"),
        "{run:?}"
    );
}
