//! `farthing doctor`.

mod checks;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

pub(super) use self::checks::answers;
use self::checks::{Check, Verdict};
use super::config::Sources;
use crate::print::Output;
use crate::print::figures::wrapped;

/// Characters of a line, at the most.
const WIDTH: usize = 80;
/// What stands before the name of a check: its verdict.
const VERDICT: usize = 6;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// Ask each provider for an answer too, without its key.
    #[arg(long)]
    online: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Check>,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    let checks = checks::all(&args.sources, args.online).await;
    let ok = checks.iter().all(|check| check.verdict != Verdict::Fail);
    let report = Report { ok, checks };
    let mut out = Output::stdout();
    if args.json {
        out.json(&report)?
    } else {
        print(&mut out, &report)?
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let names = report.checks.iter().map(|check| check.name.chars().count());
    let margin = VERDICT + names.max().unwrap_or_default() + 2;
    for Check { name, verdict, found, remedy } in &report.checks {
        let mut head = format!("{:<VERDICT$}{name}", verdict.name());
        let texts = std::iter::once(found).chain(remedy);
        for line in texts.flat_map(|text| wrapped(text, WIDTH.saturating_sub(margin))) {
            writeln!(out, "{head:<margin$}{line}")?;
            head.clear();
        }
    }
    let count = |verdict| report.checks.iter().filter(|check| check.verdict == verdict).count();
    match (count(Verdict::Fail), count(Verdict::Warn)) {
        (0, 0) => writeln!(out, "\nAll is in place."),
        (0, warned) => writeln!(out, "\nAll that is needed is in place; {warned} to look at."),
        (failed, _) => writeln!(out, "\n{failed} of {} failed.", report.checks.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_read_well_in_eighty_columns() {
        let check = |verdict, found: &str, remedy: Option<&str>| Check {
            name: "provider openai".to_owned(),
            verdict,
            found: found.to_owned(),
            remedy: remedy.map(str::to_owned),
        };
        let report = Report {
            ok: false,
            checks: vec![
                check(Verdict::Ok, "api.openai.com:443 can be reached", None),
                check(
                    Verdict::Fail,
                    "nothing at api.openai.com:443 takes a connection, neither at first nor later",
                    Some("check the network"),
                ),
            ],
        };
        let mut out = Vec::new();
        print(&mut out, &report).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "ok    provider openai  api.openai.com:443 can be reached\n\
             fail  provider openai  nothing at api.openai.com:443 takes a connection, neither\n\
             \u{20}                      at first nor later\n\
             \u{20}                      check the network\n\
             \n\
             1 of 2 failed.\n"
        );
    }
}
