//! Counts against the tokens that the provider reported for recorded requests.
//!
//! The recordings lie beside the checkout, in `../shared`; without them these tests have nothing
//! to do.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test may fail")]

mod layout;

use std::path::Path;

use farthing_core::anatomy::{Anatomy, Method};
use farthing_core::prompt::{Part, Prompt};
use farthing_tokens::Counter;
use serde_json::Value;

/// Models whose framing no rule explains yet.
const UNEXPLAINED: [&str; 3] = ["moonshotai/", "muse-", "o1-mini"];

/// A recorded request, as counted and as reported.
struct Row {
    case: String,
    model: String,
    /// Whether it is text and functions, and nothing else.
    plain: bool,
    anatomy: Anatomy,
    reported: u64,
}

/// The recorded requests to addresses that contain `uri`, counted. None without the recordings.
fn rows(
    uri: &str,
    prompt: fn(&Value) -> Prompt,
    reported: fn(&Value) -> Option<u64>,
) -> Option<Vec<Row>> {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/token_ground_truth.jsonl");
    let Ok(text) = std::fs::read_to_string(Path::new(path)) else {
        println!("skipped: ../shared not present");
        return None;
    };
    let counter = Counter::embedded().expect("the rules are sound");
    let all = text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON"));
    let ours = all.filter(|row: &Value| row["uri"].as_str().is_some_and(|at| at.contains(uri)));
    let counted = ours.filter_map(|row| {
        let reported = reported(&row).filter(|tokens| *tokens > 0)?;
        let model = row["model"].as_str().expect("a model answered").to_owned();
        let prompt = prompt(&row["request"]);
        let anatomy = counter.count(&model, &prompt);
        let total = anatomy.by_kind.total();
        let case = format!("{} {model}: counted {total}, reported {reported}", row["id"]);
        Some(Row { case, model, plain: is_plain(&prompt), anatomy, reported })
    });
    let rows: Vec<Row> = counted.collect();
    assert!(!rows.is_empty());
    Some(rows)
}

fn is_plain(prompt: &Prompt) -> bool {
    let mut parts = prompt.messages.iter().flat_map(|message| &message.parts);
    let is_function = |tool: &str| {
        let says = |what| tool.contains(what);
        (says("\"description\"") || says("\"input_schema\"")) && !says("\"defer_loading\"")
    };
    parts.all(|part| matches!(part, Part::Text(_) | Part::Thought(_)))
        && prompt.tools.iter().all(|tool| is_function(prompt.raw(&tool.span)))
}

impl Row {
    /// How far the count is off, in thousandths of what was reported.
    fn error(&self) -> u64 {
        self.anatomy.by_kind.total().abs_diff(self.reported) * 1_000 / self.reported
    }
}

/// The error that 50, 75, 90 and 95 per cent of the rows stay within.
fn spread<'a>(name: &str, rows: impl Iterator<Item = &'a Row>) -> [u64; 4] {
    let mut errors: Vec<u64> = rows.map(Row::error).collect();
    errors.sort_unstable();
    let spread = [50, 75, 90, 95].map(|percent| errors[(errors.len() - 1) * percent / 100]);
    println!("{name}, {} requests: off by {spread:?} thousandths", errors.len());
    spread
}

/// The errors of plain requests, once it is clear that no bound was broken.
fn plain_errors(name: &str, rows: &[Row]) -> [u64; 4] {
    for Row { case, anatomy, reported, .. } in rows {
        assert_eq!(anatomy.method, Method::Estimated, "{case}");
        assert!(*reported <= anatomy.upper_bound, "{case}, bound {}", anatomy.upper_bound);
    }
    spread(&format!("{name}, all"), rows.iter());
    spread(&format!("{name}, text and functions"), rows.iter().filter(|row| row.plain))
}

fn prompt_tokens(row: &Value) -> Option<u64> {
    row["usage"]["prompt_tokens"].as_u64()
}

/// All of the prompt, cached or not.
fn anthropic_tokens(row: &Value) -> Option<u64> {
    let kinds = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
    Some(kinds.iter().filter_map(|kind| row["usage"][kind].as_u64()).sum())
}

/// A request that refers to cached content does not show how much that is.
fn gemini_tokens(row: &Value) -> Option<u64> {
    let shown = row["request"].get("cachedContent").is_none();
    row["usage"]["promptTokenCount"].as_u64().filter(|_| shown)
}

#[test]
fn recorded_openai_requests_count_as_reported() {
    let address = "https://api.openai.com/v1/chat/completions";
    let Some(rows) = rows(address, layout::openai, prompt_tokens) else { return };
    let (mut exact, mut hits) = (0, 0);
    for Row { case, model, anatomy, reported, .. } in &rows {
        let total = anatomy.by_kind.total();
        exact += usize::from(anatomy.method == Method::Exact);
        hits += usize::from(total == *reported);
        match anatomy.method {
            Method::Exact => assert_eq!(total, *reported, "{case}"),
            Method::Estimated => assert!(*reported <= anatomy.upper_bound, "{case}"),
        }
        let guessed = anatomy.by_kind.media > 0 || UNEXPLAINED.iter().any(|m| model.starts_with(m));
        assert!(guessed || total.abs_diff(*reported) * 20 <= *reported, "{case}, over 5 % off");
    }
    println!("{} requests: {exact} called exact, {hits} counted exactly", rows.len());
    assert!(exact >= 14 && hits >= 45, "{exact} {hits}");
}

#[test]
fn recorded_claude_requests_are_estimated_closely_and_never_above_the_bound() {
    let Some(rows) = rows("api.anthropic.com", layout::anthropic, anthropic_tokens) else { return };
    let [median, most, ..] = plain_errors("Claude", &rows);
    assert!(median <= 15 && most <= 40, "{median} {most}");
}

#[test]
fn recorded_gemini_requests_are_estimated_closely_and_never_above_the_bound() {
    let address = "generativelanguage.googleapis.com";
    let Some(rows) = rows(address, layout::gemini, gemini_tokens) else { return };
    let [median, most, ..] = plain_errors("Gemini", &rows);
    assert!(median <= 40 && most <= 80, "{median} {most}");
}

#[test]
fn the_bound_of_gemini_holds_on_vertex_too() {
    let address = "aiplatform.googleapis.com";
    let Some(rows) = rows(address, layout::gemini, gemini_tokens) else { return };
    plain_errors("Gemini on Vertex AI", &rows);
}
