//! Writes Claude Code's transcripts of any size, or reads some and says how long that took.
//!
//! ```sh
//! cargo run --release -p farthing-analyze --example transcripts -- write FOLDER MEBIBYTES
//! cargo run --release -p farthing-analyze --example transcripts -- read FOLDER [THREADS]
//! ```
//!
//! What it writes has the proportions of a real session: fifteen kilobytes a request, each written
//! as four lines with the same usage but for the last, results of tools between, long texts with
//! escapes, and every tenth file a resumed session that repeats the lines of the one before.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::float_arithmetic,
    missing_docs,
    reason = "a tool for measuring"
)]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::num::NonZero;
use std::path::Path;
use std::time::Instant;

use farthing_analyze::scan::Silent;
use farthing_analyze::{Priced, Report, Terms, scan};
use farthing_core::pricing::Catalog;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const FILE_BYTES: u64 = 8 << 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["write", folder, mebibytes] => {
            write(Path::new(folder), mebibytes.parse().expect("a number of mebibytes"));
        }
        ["read", folder] => read(folder, "2"),
        ["read", folder, threads] => read(folder, threads),
        _ => println!("write FOLDER MEBIBYTES | read FOLDER [THREADS]"),
    }
}

fn read(folder: &str, threads: &str) {
    let threads: NonZero<usize> = threads.parse().expect("a number of threads");
    let catalog = Catalog::embedded().expect("the catalog");
    let began = Instant::now();
    let logs = scan(&[folder.into()], threads, &Silent).expect("the folder is there");
    let scanned = began.elapsed();
    let terms = Terms { catalog: &catalog, now: Timestamp::now(), model: None };
    let priced = Priced::new(logs, &terms);
    let report = Report::new(&priced, &terms, &TimeZone::UTC, &[]);
    println!(
        "{} MiB, {} files, {} requests, ${} in {:.2?} (read in {scanned:.2?})",
        priced.bytes >> 20,
        priced.files,
        report.totals.requests,
        report.totals.usd().unwrap_or_default(),
        began.elapsed()
    );
}

/// A sequence that is the same on every run.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn write(folder: &Path, mebibytes: u64) {
    fs::create_dir_all(folder).expect("a folder");
    let mut sequence = Sequence(0x9e37_79b9_7f4a_7c15);
    let mut at: Timestamp = "2026-09-01T08:00:00Z".parse().expect("a time");
    let (mut left, mut number) = (mebibytes << 20, 0_u64);
    let mut before: Vec<String> = Vec::new();
    while left > 0 {
        let name = folder.join(format!("session-{number:05}.jsonl"));
        let mut out = BufWriter::new(File::create(name).expect("a file"));
        let mut lines = match number % 10 {
            9 => before.iter().take(400).cloned().collect(),
            _ => Vec::new(),
        };
        let mut bytes: u64 = lines.iter().map(|line| line.len() as u64).sum();
        let mut prompt = 18_000;
        while bytes < FILE_BYTES.min(left) {
            let turn = turn(&mut sequence, number, &mut at, &mut prompt);
            bytes += turn.iter().map(|line| line.len() as u64 + 1).sum::<u64>();
            lines.extend(turn);
        }
        for line in &lines {
            writeln!(out, "{line}").expect("room on the disk");
        }
        out.flush().expect("room on the disk");
        left = left.saturating_sub(bytes);
        before = lines;
        number += 1;
    }
}

/// A request: four lines of its answer, and the result of the tool that it called.
fn turn(
    sequence: &mut Sequence,
    session: u64,
    at: &mut Timestamp,
    prompt: &mut u64,
) -> Vec<String> {
    let idle = if sequence.below(40) == 0 { 900 } else { 5 + sequence.below(50) };
    *at = at.checked_add(SignedDuration::from_secs(idle as i64)).expect("a time");
    let id = sequence.below(u64::MAX);
    let added = 300 + sequence.below(4_000);
    let (read, written) = if idle > 300 { (13_000, *prompt - 13_000) } else { (*prompt, added) };
    *prompt = if *prompt > 160_000 { 30_000 } else { *prompt + added };
    let model = ["claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929"][(id % 2) as usize];
    let head = format!(
        "\"isSidechain\":false,\"userType\":\"external\",\"cwd\":\"/home/ada/shop\",\"sessionId\":\"{session:08}\",\
         \"version\":\"2.0.76\",\"gitBranch\":\"main\",\"uuid\":\"{id:016x}\",\"timestamp\":\"{at}\""
    );
    let text = |sequence: &mut Sequence, bytes: u64| {
        let mut text = String::new();
        while (text.len() as u64) < bytes {
            let number = sequence.below(1 << 40);
            text += &format!("    let value_{number:x} = call(\\\"{number}\\\");\\n");
        }
        text
    };
    let answer = |block: String, output: u64| {
        format!(
            "{{\"type\":\"assistant\",{head},\"requestId\":\"req_{id:x}\",\"message\":{{\"model\":\"{model}\",\
             \"id\":\"msg_{id:x}\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{block}],\"stop_reason\":null,\
             \"usage\":{{\"input_tokens\":8,\"cache_creation_input_tokens\":{written},\
             \"cache_read_input_tokens\":{read},\"cache_creation\":{{\"ephemeral_5m_input_tokens\":{written},\
             \"ephemeral_1h_input_tokens\":0}},\"output_tokens\":{output},\"service_tier\":\"standard\"}}}}}}"
        )
    };
    let thought = text(sequence, 700);
    let said = text(sequence, 200);
    let result = text(sequence, added * 2);
    let output = 150 + sequence.below(900);
    let file = sequence.below(30);
    vec![
        answer(
            format!(
                "{{\"type\":\"thinking\",\"thinking\":\"{thought}\",\"signature\":\"{id:0128x}\"}}"
            ),
            3,
        ),
        answer(format!("{{\"type\":\"text\",\"text\":\"{said}\"}}"), 3),
        answer(
            format!(
                "{{\"type\":\"tool_use\",\"id\":\"toolu_{id:x}\",\"name\":\"Read\",\
                 \"input\":{{\"file_path\":\"/home/ada/shop/{file}.rs\"}}}}"
            ),
            output,
        ),
        format!(
            "{{\"type\":\"user\",{head},\"message\":{{\"role\":\"user\",\"content\":[{{\"type\":\"tool_result\",\
             \"tool_use_id\":\"toolu_{id:x}\",\"content\":\"{result}\"}}]}},\
             \"toolUseResult\":{{\"type\":\"text\",\"file\":{{\"filePath\":\"/home/ada/shop/{file}.rs\",\"content\":\"{result}\"}}}}}}"
        ),
    ]
}
