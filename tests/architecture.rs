//! The architecture invariants that manifests and source can show, one test each. A failure lists
//! every violation with its place, and says what to do.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a test, helpers included")]

#[path = "architecture/files.rs"]
mod files;
#[path = "architecture/prices.rs"]
mod prices;
#[path = "architecture/syntax.rs"]
mod syntax;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cargo_metadata::{Dependency, DependencyKind, MetadataCommand, Package};

use files::{File, ROOT, rust_files};
use syntax::{Kind, Token, bodies, starts_with, variants};

/// The crates, without the prefix of their names, and the crates that each may use; `*` is all.
const ARROWS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("tokenizer", &[]),
    ("tokens", &["core", "tokenizer"]),
    ("optimize", &["core", "tokens"]),
    ("wire", &["core"]),
    ("ledger", &["core"]),
    ("upstream", &["core", "wire"]),
    ("engine", &["core", "tokens", "optimize", "wire", "ledger", "upstream"]),
    ("agent", &["core", "engine"]),
    ("gateway", &["core", "wire", "ledger", "engine"]),
    ("dashboard", &["core", "ledger", "engine"]),
    ("analyze", &["core", "tokens", "optimize", "wire"]),
    ("fake-provider", &[]),
    ("farthing", &["*"]),
];

/// What a crate takes from the workspace, so that it is said once.
const INHERITED: &[&str] = &["edition", "license", "publish", "rust-version", "version"];

/// Paths, or parts of them, that would give `core` a clock, I/O, randomness or waiting.
const BANNED_IN_CORE: &[&str] = &[
    "async",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "Uuid::now_v7",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "tokio",
];
/// Crates that would do the same.
const DEPENDENCIES_BANNED_IN_CORE: &[&str] = &["reqwest", "rusqlite", "tokio"];

const EVENT_TYPES: &[&str] =
    &["AgentStarted", "AgentThinking", "ToolExecuting", "ToolCompleted", "AgentCompleted"];

/// What an error of our own API starts with; its code follows soon.
const PROBLEM: &[&str] = &["Problem", ":", ":", "new", "("];

const LINES_MAX: usize = 800;
const LIB_LINES_MAX: usize = 100;

#[test]
fn crates_depend_only_along_the_arrows() {
    let mut violations = Vec::new();
    for package in packages() {
        let name = short(&package.name);
        let Some((_, allowed)) = ARROWS.iter().find(|(crate_name, _)| *crate_name == name) else {
            violations
                .push(format!("{}: add it to the table ARROWS", manifest_line(&package, "name")));
            continue;
        };
        for used in shipped(&package).filter(|dependency| dependency.path.is_some()) {
            if !allowed.contains(&"*") && !allowed.contains(&short(&used.name)) {
                let place = manifest_line(&package, &used.name);
                violations.push(format!("{place}: `{name}` may not use `{}`", used.name));
            }
        }
    }
    report(&violations, "move the code to a crate that may use both, or hand in what it needs");
}

#[test]
fn crates_inherit_what_the_workspace_says() {
    let inherits = |value: Option<&toml::Value>| {
        value.and_then(|value| value.get("workspace")) == Some(&toml::Value::Boolean(true))
    };
    let mut violations = Vec::new();
    for package in packages() {
        let manifest: toml::Table = toml::from_str(&manifest(&package)).expect("cargo has read it");
        if !inherits(manifest.get("lints")) {
            violations.push(format!(
                "{}: no `[lints]` of the workspace",
                manifest_line(&package, "[lints]")
            ));
        }
        for key in INHERITED.iter().filter(|key| !inherits(manifest["package"].get(key))) {
            violations.push(format!("{}: its own `{key}`", manifest_line(&package, key)));
        }
    }
    report(&violations, "write `workspace = true`, so that it is said once");
}

#[test]
fn prices_stand_in_the_catalog_alone() {
    let shipped: Vec<_> = rust_files("")
        .into_iter()
        .filter(|file| format!("/{}", file.path).contains("/src/"))
        .collect();
    report(
        &violations(&shipped, prices::find),
        "move the amount to catalog/ or to the configuration; code needs none but zero",
    );
}

#[test]
fn files_stay_short() {
    let mut lengths: Vec<_> = rust_files("")
        .into_iter()
        .filter(|file| !file.text.starts_with("// @generated"))
        .map(|file| (file.text.lines().count(), file.path))
        .collect();
    lengths.sort();
    println!("lines per file, 95th percentile: {}", lengths[lengths.len() * 95 / 100].0);
    let long = lengths.iter().filter(|(lines, _)| *lines > LINES_MAX);
    let violations: Vec<_> = long
        .map(|(lines, path)| format!("{path}:{lines}: longer than {LINES_MAX} lines"))
        .collect();
    report(&violations, "split the file by what its parts are about");
}

#[test]
fn core_does_no_io_and_reads_no_clock() {
    let is_banned = |path: &str| {
        let path = format!("::{path}::");
        BANNED_IN_CORE.iter().any(|banned| path.contains(&format!("::{banned}::")))
    };
    let mut violations = violations(&rust_files("crates/core/src/"), |code| {
        syntax::paths(code).into_iter().filter(|(_, path)| is_banned(path)).collect()
    });
    for core in packages().iter().filter(|package| short(&package.name) == "core") {
        let banned =
            shipped(core).filter(|used| DEPENDENCIES_BANNED_IN_CORE.contains(&used.name.as_str()));
        violations.extend(
            banned.map(|used| format!("{}: `{}`", manifest_line(core, &used.name), used.name)),
        );
    }
    report(
        &violations,
        "take the time, the id or the bytes as an argument from a crate further out",
    );
}

#[test]
fn a_context_is_never_changed_in_place() {
    let changes = |code: &[Token<'_>]| {
        let bodies = bodies(code, "impl", "Context").into_iter();
        let rests = bodies.flat_map(|body| (0..body.len()).map(move |at| &body[at..]));
        let changes = rests.filter(|rest| {
            starts_with(rest, &["&", "mut", "self"])
                || starts_with(rest, &["self", ":", "&", "mut"])
        });
        changes.map(|rest| (rest[0].line, "&mut self".to_owned())).collect()
    };
    report(
        &violations(&rust_files("crates/core/src/"), changes),
        "take `self` or `&self` and return a new context",
    );
}

#[test]
fn lib_rs_is_a_table_of_contents() {
    let mut files = rust_files("crates/");
    files.retain(|file| file.path.ends_with("/src/lib.rs"));
    let mut violations = violations(&files, |code| {
        let pairs = code.windows(2).filter(|pair| pair[0].is("fn") && pair[1].kind == Kind::Word);
        pairs.map(|pair| (pair[0].line, format!("fn {}", pair[1].text))).collect()
    });
    let long = files.iter().filter(|file| file.text.lines().count() > LIB_LINES_MAX);
    violations.extend(long.map(|file| format!("{}: longer than {LIB_LINES_MAX} lines", file.path)));
    report(&violations, "move it to a module and re-export it");
}

#[test]
fn there_are_exactly_five_event_types() {
    let files = rust_files("crates/core/src/");
    let codes: Vec<_> = files.iter().map(File::code).collect();
    let bodies = codes.iter().flat_map(|code| bodies(code, "enum", "EventType"));
    let found: Vec<_> = bodies.flat_map(variants).collect();
    assert_eq!(found, EVENT_TYPES, "clients rely on these five; carry more inside of one of them");
}

#[test]
fn every_error_code_is_documented_and_every_documented_code_exists() {
    let documented: BTreeSet<String> = include_str!("../docs/errors.md")
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect();
    let files = ["engine", "gateway", "upstream"].map(|part| format!("crates/{part}/src/"));
    let files: Vec<_> = files.iter().flat_map(|folder| rust_files(folder)).collect();
    let codes: Vec<_> = files.iter().map(File::code).collect();
    let given = codes.iter().flat_map(|code| {
        let tellers = (0..code.len()).filter(|at| {
            let names = ["code", "request_code", "telling", "told", "from"];
            names.iter().any(|name| starts_with(&code[*at..], &["fn", name]))
        });
        let bodies = tellers.flat_map(|at| {
            let open = (at..code.len()).find(|at| code[*at].is("{")).unwrap_or(at);
            &code[open..syntax::group_end(code, open)]
        });
        let problems = (0..code.len()).filter(|at| starts_with(&code[*at..], PROBLEM));
        let problems = problems.flat_map(|at| code[at..].iter().take(PROBLEM.len() + 8));
        bodies.chain(problems).filter(|token| token.kind == Kind::Text).map(|token| token.text)
    });
    let is_code = |text: &str| text.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
    let given: BTreeSet<String> = given.filter(|text| is_code(text)).map(str::to_owned).collect();
    assert_eq!(given, documented, "name each code once in docs/errors.md, and no other");
}

// === what the rules share ===

/// Every place in `files` where `rule` finds something: the line, and what stands there.
fn violations(files: &[File], rule: impl Fn(&[Token<'_>]) -> Vec<(usize, String)>) -> Vec<String> {
    let of = |file: &File| {
        let found = rule(&file.code()).into_iter();
        found.map(|(line, what)| format!("{}:{line}: `{what}`", file.path)).collect::<Vec<_>>()
    };
    files.iter().flat_map(of).collect()
}

fn report(violations: &[String], remedy: &str) {
    assert!(violations.is_empty(), "\n{}\n\nwhat to do: {remedy}\n", violations.join("\n"));
}

/// The workspace's packages. Nothing is resolved, so neither a network nor a lock file is needed.
fn packages() -> Vec<Package> {
    let mut command = MetadataCommand::new();
    command.manifest_path(Path::new(ROOT).join("Cargo.toml"));
    command.no_deps().other_options(["--offline".to_owned()]);
    command.exec().expect("cargo can read the manifests").packages
}

/// What a package depends on outside of its own tests.
fn shipped(package: &Package) -> impl Iterator<Item = &Dependency> {
    package.dependencies.iter().filter(|used| used.kind != DependencyKind::Development)
}

/// The name of a crate in the table.
fn short(package: &str) -> &str {
    package.strip_prefix("farthing-").unwrap_or(package)
}

fn manifest(package: &Package) -> String {
    fs::read_to_string(&package.manifest_path).expect("cargo has read it")
}

/// The place in a package's manifest of the line that starts with `key`, or else its end.
fn manifest_line(package: &Package, key: &str) -> String {
    let line = manifest(package).lines().take_while(|line| !line.starts_with(key)).count() + 1;
    let path = package.manifest_path.as_std_path();
    format!("{}:{line}", path.strip_prefix(ROOT).unwrap_or(path).display())
}
