use std::path::Path;

use tempfile::TempDir;

use farthing_core::budget::Quantity;

use super::*;

/// The layers of a file with this text and of these variables.
fn layers(folder: &TempDir, text: &str, variables: &[(&str, &str)]) -> Layers {
    let file = folder.path().join("farthing.toml");
    std::fs::write(&file, text).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Layers { file: Some(file), variables: variables.collect(), flags: Vec::new() }
}

fn loaded(text: &str, variables: &[(&str, &str)]) -> Result<Config, Problems> {
    Config::load(Some(&layers(&TempDir::new().unwrap(), text, variables)))
}

/// What is said of a file and variables, without the folder.
fn problems(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let Problems(problems) =
        Config::load(Some(&layers(&folder, text, variables))).expect_err("it cannot be used");
    let path = |path: &Path| format!("{}/", path.display());
    let shown = |problem: &problem::Problem| problem.to_string().replace(&path(folder.path()), "");
    problems.iter().map(shown).collect()
}

#[test]
fn a_file_needs_only_what_differs() {
    let config = loaded("[server]\nlisten = \"127.0.0.1:9\"", &[]).unwrap();
    assert_eq!(config.server.listen.port(), 9);
    let hundred = Quantity::Usd("100".parse().unwrap());
    assert_eq!(config.budgets.rules().unwrap()[0].limit, hundred);
}

#[test]
fn an_empty_list_of_limits_removes_the_default_one() {
    assert!(loaded("[budgets]\nlimit = []", &[]).unwrap().budgets.rules().unwrap().is_empty());
}

#[test]
fn each_layer_lies_over_the_one_before() {
    let folder = TempDir::new().unwrap();
    let text = "[server]\nlisten = \"127.0.0.1:1\"\nmax_body_bytes = 1\n[store]\npath = \"a\"\n";
    let variables = [("FARTHING_SERVER__MAX_BODY_BYTES", "2_000"), ("FARTHING_STORE__PATH", "b")];
    let mut layers = layers(&folder, text, &variables);
    layers.flags = vec![Setting::of_flag("--store", &["store", "path"], "c")];
    let settings = Settings::read(&layers).unwrap();
    let shown: Vec<_> = settings
        .iter()
        .filter(|setting| {
            ["listen", "max_body_bytes", "path", "prices"].contains(&setting.key.name())
        })
        .map(|setting| {
            let origin = setting.origin.to_string();
            let origin = origin.rsplit('/').next().unwrap_or_default().to_owned();
            format!(
                "{} = {} ({origin})",
                setting.key,
                serde_json::to_string(&setting.value).unwrap()
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#"server.listen = "127.0.0.1:1" (farthing.toml:2)"#,
            "server.max_body_bytes = 2000 (env FARTHING_SERVER__MAX_BODY_BYTES)",
            r#"store.path = "c" (flag --store)"#,
            r#"provider.openai.prices = "openai" (default)"#,
        ]
    );
    assert_eq!(settings.config().unwrap().server.max_body_bytes, 2_000);
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_name() {
    let text = "# mine\n[server]\nlistn = \"x\"\n\n[sever]\n[[budgets.limit]]\nscoep = \"user\"\n\
                [provider.mine]\napi_key = \"sk-secret\"\n[upstream]\ncolour = 1";
    assert_eq!(
        problems(text, &[]),
        [
            "unknown key `server.listn` in farthing.toml line 3; did you mean `server.listen`?",
            "unknown key `sever` in farthing.toml line 5; did you mean `server`?",
            "unknown key `budgets.limit.scoep` in farthing.toml line 7; did you mean \
             `budgets.limit.scope`?",
            "unknown key `provider.mine.api_key` in farthing.toml line 9; did you mean \
             `provider.mine.api_key_env`?",
            "unknown key `upstream.colour` in farthing.toml line 11; `farthing config show` lists \
             all settings",
        ]
    );
}

#[test]
fn a_value_that_will_not_do_is_refused_with_its_line() {
    let limit = "[[budgets.limit]]\nscope = \"user\"\nwindow = \"day\"\nusd = ";
    for (text, problem) in [
        ("[server]\nlisten = \"here\"", "`server.listen` in farthing.toml line 2: invalid socket"),
        (
            "server = 3",
            "`server` in farthing.toml line 1 is a section, not a setting; write [server]",
        ),
        ("[server]\nmax_body_bytes = -1", "`server.max_body_bytes` in farthing.toml line 2: "),
        (
            "[server]\nlisten = { port = 1 }",
            "`server.listen` in farthing.toml line 2: invalid type",
        ),
        ("[budgets]\nunpriced = \"ignore\"", "`budgets.unpriced` in farthing.toml line 2: unknown"),
        (&format!("{limit}1.5"), "`budgets.limit.usd` in farthing.toml line 4: invalid type"),
        (
            &format!("{limit}\"1\"\n[[budgets.limit]]\nusd = \"1\""),
            "`budgets.limit` in farthing.toml line 5: missing field `scope`",
        ),
        (
            "[provider.a]\n\ndialect = \"openai\"",
            "[provider.a] in farthing.toml line 3: missing field `base_url`",
        ),
        (
            "[provider.a]\ndialect = \"odd\"",
            "`provider.a.dialect` in farthing.toml line 2: `odd` is not a dialect",
        ),
        (
            "[provider.openai]\nbase_url = \"api.openai.com\"",
            "`provider.openai.base_url` in farthing.toml line 2: `api.openai.com` is not an address",
        ),
        ("[server\nlisten = 1", "the text in farthing.toml line 1 is not TOML: "),
        (
            "[server]\nlisten = \"a\"\nlisten = \"b\"",
            "the text in farthing.toml line 3 is not TOML: duplicate key",
        ),
    ] {
        let found = problems(text, &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(problem), "{}", found[0]);
    }
}

#[test]
fn a_variable_sets_what_it_names_and_nothing_else() {
    let set = |name: &str, value: &str| problems("", &[(name, value)]).remove(0);
    assert_eq!(
        set("FARTHING_SERVER_LISTEN", "x"),
        "unknown variable `FARTHING_SERVER_LISTEN`; did you mean `FARTHING_SERVER__LISTEN`?"
    );
    assert_eq!(
        set("FARTHING_BUDGETS__LIMIT", "[]"),
        "`budgets.limit` in FARTHING_BUDGETS__LIMIT can be set in a file only"
    );
    assert!(set("FARTHING_BUDGETS__LIMIT__USD", "1").starts_with("unknown variable"));
    assert_eq!(
        set("FARTHING_SERVER", "x"),
        "`server` in FARTHING_SERVER is a section; set what is in it, as FARTHING_SERVER__..."
    );
    assert_eq!(
        set("FARTHING_UPSTREAM__ATTEMPTS", "many"),
        "`upstream.attempts` in FARTHING_UPSTREAM__ATTEMPTS: invalid type: string \"many\", \
         expected u32"
    );
    let others = [("FARTHING_LOG", "x"), ("FARTHING_KEY", "x"), ("FARTHING", "x"), ("PATH", "x")];
    assert!(loaded("", &others).is_ok());
}

#[test]
fn a_variable_is_read_as_what_its_setting_is() {
    let text = "[provider.My-Spare]\ndialect = \"openai\"\nbase_url = \"http://127.0.0.1:9\"";
    let variables = [
        ("FARTHING_STORE__PATH", "2026"),
        ("FARTHING_UPSTREAM__ATTEMPTS", "0x2"),
        ("FARTHING_PROVIDER__OPENAI__FALLBACK", "[\"My-Spare\"]"),
        ("FARTHING_PROVIDER__MY_SPARE__API_KEY_ENV", "SPARE_KEY"),
        ("FARTHING_PROVIDER__OPENAI__BASE_URL", "\"http://127.0.0.1:8\""),
    ];
    let config = loaded(text, &variables).unwrap();
    assert_eq!(config.store.path, Path::new("2026"));
    assert_eq!(config.upstream.attempts, 2);
    assert_eq!(config.provider["openai"].fallback, ["My-Spare"]);
    assert_eq!(config.provider["openai"].base_url.as_str(), "http://127.0.0.1:8");
    let key = config.provider["My-Spare"].api_key_env.as_ref();
    assert_eq!(key.map(VariableName::as_str), Some("SPARE_KEY"));
}

#[test]
fn a_key_may_be_in_a_variable_that_begins_as_ours_do() {
    let text = "[provider.openai]\napi_key_env = \"FARTHING_KEY\"";
    assert!(loaded(text, &[("FARTHING_KEY", "sk-1")]).is_ok());
}

#[test]
fn a_key_that_stands_in_the_configuration_is_refused_and_not_repeated() {
    for text in [
        "[provider.openai]\napi_key_env = \"sk-proj-secret\"",
        "[provider.openai]\nbase_url = \"https://me:secret@api.openai.com/v1\"",
        "[provider.openai]\napi_key = \"secret\"",
        "[provider.openai]\napi_key = secret",
    ] {
        let found = problems(text, &[]);
        assert!(!found.concat().contains("secret"), "{found:?}");
    }
}

#[test]
fn a_key_comes_from_the_environment_and_is_never_shown() {
    let config = Config::load(None).unwrap();
    let routes = config.routes(|_| Some("sk-secret".into())).unwrap();
    assert!(routes[0].at(0).key.is_some());
    assert!(!format!("{routes:?}").contains("sk-secret"));
    assert!(config.routes(|_| Some("sk\n1".into())).is_err());
    assert!(config.routes(|_| Some(" ".into())).unwrap()[0].at(0).key.is_none());
}

#[test]
fn a_fallback_is_a_configured_provider() {
    let spare = "[provider.spare]\ndialect = \"openai\"\nbase_url = \"http://127.0.0.1:9\"\n\
                 api_key_env = \"SPARE_KEY\"\n";
    let with = |fallback: &str| {
        let text = format!("[provider.openai]\nfallback = [\"{fallback}\"]\n{spare}");
        loaded(&text, &[]).unwrap().routes(|_| Some("sk-spare".into()))
    };
    let routes = with("spare").unwrap();
    let from = |route: &&Route| route.at(0).provider.as_str() == "openai";
    let route = routes.iter().find(from).expect("every provider has a route");
    assert_eq!(route.at(1).provider.as_str(), "spare");
    let error = with("spar").unwrap_err().to_string();
    assert!(error.contains("`spar` is not a configured provider"), "{error}");
}
