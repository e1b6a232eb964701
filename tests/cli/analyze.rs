//! `farthing analyze`, `report` and `statusline`, over transcripts in files.

use serde_json::{Value, json};

use crate::support::{Folder, shared};

/// Two answers of one session, a day apart.
fn transcript() -> String {
    let line = |id: &str, at: &str, output: u64| {
        json!({
            "type": "assistant", "sessionId": "s1", "requestId": format!("r{id}"), "timestamp": at,
            "cwd": "/shop",
            "message": {
                "id": id, "model": "claude-opus-4-5-20251101", "role": "assistant", "content": [],
                "usage": {
                    "input_tokens": 1_000, "cache_read_input_tokens": 0,
                    "cache_creation_input_tokens": 0, "output_tokens": output,
                },
            },
        })
    };
    let first = line("m1", "2026-01-05T23:30:00Z", 1);
    let last = line("m1", "2026-01-05T23:30:01Z", 1_000);
    let next = line("m2", "2026-01-06T00:30:00Z", 1_000);
    [first, last, next].map(|line| format!("{line}\n")).concat()
}

fn folder() -> Folder {
    let folder = Folder::new();
    let logs = folder.path("home/.claude/projects/shop");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::write(logs.join("s1.jsonl"), transcript()).unwrap();
    let home = folder.path("home").display().to_string();
    folder.set("HOME", &home)
}

#[test]
fn without_a_path_the_folders_of_agents_are_read() {
    let report = folder().run(&["analyze", "--json"]).json();
    assert_eq!(report["totals"]["requests"], 2);
    // Twice 1,000 at 5 and 1,000 at 25 dollars a million.
    assert_eq!(report["totals"]["cost_usd"], "0.06");
    for member in
        ["sessions", "totals", "by_model", "by_day", "anatomy", "waste", "recommendations"]
    {
        assert!(!report[member].is_null(), "{member}");
    }
    let missing = Folder::new().set("HOME", "/nowhere").run(&["analyze"]).fails(1);
    assert!(missing.contains("~/.claude/projects"), "{missing}");
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let error = Folder::new().run(&["analyze", "nothing-here"]).fails(1);
    assert!(error.contains("nothing-here") && error.contains("name a file or folder"), "{error}");
}

#[test]
fn a_report_reads_well_without_colours_and_says_what_it_is() {
    let shown = folder().run(&["analyze"]).ok();
    for said in [
        "$0.06",
        "2 requests",
        "API-equivalent",
        "By model",
        "claude-opus-4-5-20251101",
        "2026-01-06",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert!(!shown.contains('\u{1b}'));
}

#[test]
fn a_page_stands_alone() {
    let folder = folder();
    folder.run(&["analyze", "--html", "page.html"]).ok();
    let page = std::fs::read_to_string(folder.path("page.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(page.contains("default-src 'none'") && page.contains("$0.06"));
    for outside in ["http://", "https://", "<script", "src=", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn days_are_those_of_the_time_zone() {
    let days = |zone: &str| {
        let report = folder().run(&["report", "--json", "--timezone", zone]).json();
        let days = report["daily"].as_array().unwrap();
        days.iter().map(|day| day["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(days("UTC"), ["2026-01-05", "2026-01-06"]);
    assert_eq!(days("Europe/Berlin"), ["2026-01-06"]);
    let error = folder().run(&["report", "--timezone", "Mars/Olympus"]).fails(1);
    assert!(error.contains("`Mars/Olympus` is not a time zone"), "{error}");
}

#[test]
fn groupings_and_flags_are_those_that_people_know() {
    let folder = folder();
    let rows = |arguments: &[&str], member: &str| {
        let all = [&["report"], arguments, &["--json", "--timezone", "UTC"]].concat();
        folder.run(&all).json()[member].as_array().unwrap().clone()
    };
    let names = |rows: &[Value]| rows.iter().map(|row| row["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&rows(&["weekly"], "weekly")), ["2026-01-05"]);
    assert_eq!(names(&rows(&["weekly", "--start-of-week", "sunday"], "weekly")), ["2026-01-04"]);
    assert_eq!(names(&rows(&["monthly"], "monthly")), ["2026-01"]);
    assert_eq!(names(&rows(&["session"], "session")), ["s1"]);
    assert_eq!(names(&rows(&["blocks"], "blocks")), ["2026-01-05 23:00"]);
    assert_eq!(names(&rows(&["project"], "project")), ["/shop"]);
    assert_eq!(names(&rows(&["--order", "desc"], "daily")), ["2026-01-06", "2026-01-05"]);
    assert_eq!(names(&rows(&["--since", "20260106", "--offline"], "daily")), ["2026-01-06"]);
    assert_eq!(names(&rows(&["--until", "2026-01-05"], "daily")), ["2026-01-05"]);
}

#[test]
fn a_bill_is_a_table_or_csv_or_a_page() {
    let folder = folder();
    let table = folder.run(&["report", "--breakdown"]).ok();
    for said in ["Cache Create", "Cost (USD)", "└─ claude-opus-4-5-20251101", "Total", "$0.06"]
    {
        assert!(table.contains(said), "{said}: {table}");
    }
    assert!(!folder.run(&["report", "--compact"]).ok().contains("Cache Create"));
    let csv = folder.run(&["report", "--format", "csv", "--timezone", "UTC"]).ok();
    assert_eq!(
        csv,
        "daily,requests,input,cache_read,cache_write_5m,cache_write_1h,cache_write,output,cost_usd,cost_status\r\n\
         2026-01-05,1,1000,0,0,0,0,1000,0.03,priced\r\n\
         2026-01-06,1,1000,0,0,0,0,1000,0.03,priced\r\n"
    );
    assert!(folder.run(&["report", "--format", "html"]).ok().contains("<h2>Date</h2>"));
}

#[test]
fn a_status_line_adds_what_was_written_since() {
    let folder = folder();
    let path = folder.path("home/.claude/projects/shop/s1.jsonl");
    let told = json!({
        "session_id": "s1", "transcript_path": path, "model": { "id": "claude-opus-4-5", "display_name": "Opus 4.5" },
    });
    let line = || folder.run_with(&["statusline", "--timezone", "UTC"], &told.to_string()).ok();
    assert_eq!(line(), "$0.06 session · $0.00 today · Opus 4.5 · 0 % context\n");
    let mut text = transcript();
    text += &transcript().lines().last().unwrap().replace("m2", "m3").replace("\"rm2\"", "\"rm3\"");
    std::fs::write(&path, &text).unwrap();
    assert_eq!(
        line(),
        "$0.06 session · $0.00 today · Opus 4.5 · 0 % context\n",
        "a line that is not whole waits"
    );
    std::fs::write(&path, text + "\n").unwrap();
    assert_eq!(line(), "$0.09 session · $0.00 today · Opus 4.5 · 0 % context\n");
    assert!(folder.path("home/.cache/farthing/statusline.json").is_file());
    let error = folder.run_with(&["statusline"], "nonsense").fails(1);
    assert!(error.contains("what Claude Code sends"), "{error}");
}

#[test]
fn a_real_transcript_and_its_status_line_agree() {
    let Some(path) = shared("corpus/claude_code_raw_part.jsonl") else { return };
    let folder = Folder::new();
    let report = folder.run(&["analyze", &path, "--json"]).json();
    assert_eq!(report["totals"]["cost_usd"], "3.34667075");
    let told = json!({ "transcript_path": path }).to_string();
    let line = folder.run_with(&["statusline", "--state", "state.json"], &told).ok();
    assert!(line.starts_with("$3.35 session · "), "{line}");
}
