//! `farthing count --accuracy`: how far counts are from what providers reported.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use anyhow::{Context, Result};
use bytes::Bytes;
use farthing_core::anatomy::Method;
use farthing_tokens::{Api, Counter};
use farthing_wire::Dialect;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::foreign;
use crate::print::Output;

/// A line: a request, and what its provider reported.
#[derive(Deserialize)]
struct Row<'l> {
    #[serde(borrow)]
    uri: Cow<'l, str>,
    #[serde(borrow)]
    model: Cow<'l, str>,
    usage: Usage,
    #[serde(borrow)]
    request: &'l RawValue,
}

/// Tokens of a prompt as APIs report them: all of it, or what was not cached and the rest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    #[serde(rename = "prompt_tokens")]
    chat: Option<u64>,
    prompt_token_count: Option<u64>,
    input_tokens: Option<u64>,
    #[serde(rename = "input_tokens")]
    input: Option<u64>,
    #[serde(rename = "cache_read_input_tokens", alias = "cacheReadInputTokens")]
    cache_read: Option<u64>,
    #[serde(rename = "cache_creation_input_tokens", alias = "cacheWriteInputTokens")]
    cache_write: Option<u64>,
}

/// What came of the requests of one model on one API.
#[derive(Debug, Default)]
struct Sample {
    /// How far each count was off, in thousandths of what was reported.
    errors: Vec<u64>,
    /// How many were called exact, and how many of those were not.
    called_exact: usize,
    wrongly: usize,
    /// How many bounds did not hold.
    unbound: usize,
}

/// All that was counted, and what could not be.
#[derive(Debug, Default)]
pub(super) struct Accuracy {
    samples: BTreeMap<(&'static str, String), Sample>,
    /// By API, requests that do not show all that the model reads.
    open: BTreeMap<&'static str, Sample>,
    unread: BTreeMap<String, usize>,
}

// === impl Accuracy ===

impl Accuracy {
    /// Counts every row of `input`. A row that is not understood is listed with its reason.
    ///
    /// # Errors
    /// Where the input cannot be read.
    pub(super) fn measure(counter: &Counter, input: impl BufRead) -> io::Result<Accuracy> {
        let mut accuracy = Accuracy::default();
        for line in input.lines() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            if let Err(reason) = accuracy.add(counter, &line) {
                *accuracy.unread.entry(reason).or_default() += 1;
            }
        }
        Ok(accuracy)
    }

    fn add(&mut self, counter: &Counter, line: &str) -> Result<(), String> {
        let row: Row<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let reported = row.usage.prompt().filter(|tokens| *tokens > 0);
        let reported = reported.ok_or("the usage has no tokens of the prompt")?;
        let body = Bytes::copy_from_slice(row.request.get().as_bytes());
        let request = foreign::parse(None, Some(&row.uri), body)?;
        let api = super::api(request.dialect, Some(&row.uri));
        let anatomy = counter.count((&*row.model, api), &request.prompt);
        let off = anatomy.by_kind.total().abs_diff(reported);
        let name = name(request.dialect, api, &row.uri);
        let key = (name, row.model.clone().into_owned());
        let sample = if counter.shows_all((&*row.model, api), &request.prompt) {
            self.samples.entry(key).or_default()
        } else {
            self.open.entry(name).or_default()
        };
        sample.errors.push((off.saturating_mul(1_000)).div_ceil(reported));
        let exact = anatomy.method == Method::Exact;
        sample.called_exact += usize::from(exact);
        sample.wrongly += usize::from(exact && off > 0);
        sample.unbound += usize::from(anatomy.upper_bound < reported);
        Ok(())
    }

    /// The requests that show all, by API.
    fn by_api(&self) -> BTreeMap<&'static str, Sample> {
        let mut apis: BTreeMap<_, Sample> = BTreeMap::new();
        for ((api, _), sample) in &self.samples {
            apis.entry(*api).or_default().merge(sample);
        }
        apis
    }

    /// Prints a line for each API and model, and one for each API; then, apart, those requests that do
    /// not show all that the model reads.
    pub(super) fn print(&self, out: &mut Output) -> Result<()> {
        let heading = ["requests", "exact", "called so", "median", "p95", "beyond bound"];
        let [n, exact, called, median, p95, unbound] = heading;
        writeln!(
            out,
            "{:<18} {:<40} {n:>8} {exact:>6} {called:>9} {median:>8} {p95:>8} {unbound:>12}",
            "API", "model"
        )?;
        for ((api, model), sample) in &self.samples {
            sample.print(out, api, model)?;
        }
        writeln!(out)?;
        for (api, sample) in &self.by_api() {
            sample.print(out, api, "all")?;
        }
        writeln!(out)?;
        for (api, sample) in &self.open {
            sample.print(out, api, "what requests do not show")?;
        }
        for (reason, rows) in &self.unread {
            writeln!(out, "not counted: {rows}, {reason}")?;
        }
        out.flush().context("the table cannot be written")
    }
}

/// The API as it is listed: OpenAI's own chat completions apart from those of all who speak them.
fn name(dialect: Dialect, api: Option<Api>, uri: &str) -> &'static str {
    match (dialect, api) {
        (_, Some(api)) => api.name(),
        (Dialect::OpenAiChat, None) if !uri.contains("api.openai.com") => "openai_compatible",
        (dialect, None) => dialect.name(),
    }
}

// === impl Sample ===

impl Sample {
    fn merge(&mut self, other: &Sample) {
        self.errors.extend(&other.errors);
        self.called_exact += other.called_exact;
        self.wrongly += other.wrongly;
        self.unbound += other.unbound;
    }

    /// How many counts were right.
    fn exact(&self) -> usize {
        self.errors.iter().filter(|error| **error == 0).count()
    }

    /// How far so many per cent of the counts are off at most, in thousandths.
    fn percentile(&self, percent: usize) -> u64 {
        let mut errors = self.errors.clone();
        errors.sort_unstable();
        let place = (errors.len().saturating_sub(1) * percent).div_ceil(100);
        errors.get(place).copied().unwrap_or_default()
    }

    fn print(&self, out: &mut Output, api: &str, model: &str) -> io::Result<()> {
        let percent = |percent| {
            let thousandths = self.percentile(percent);
            format!("{}.{} %", thousandths / 10, thousandths % 10)
        };
        let called = match self.wrongly {
            0 => self.called_exact.to_string(),
            wrongly => format!("{} (-{wrongly})", self.called_exact),
        };
        writeln!(
            out,
            "{api:<18} {model:<40} {:>8} {:>6} {called:>9} {:>8} {:>8} {:>12}",
            self.errors.len(),
            self.exact(),
            percent(50),
            percent(95),
            self.unbound
        )
    }
}

// === impl Usage ===

impl Usage {
    /// All tokens of the prompt. Only APIs that count them apart name what was cached like this.
    fn prompt(&self) -> Option<u64> {
        let whole = self.chat.or(self.prompt_token_count);
        let apart = || {
            let fresh = self.input.or(self.input_tokens)?;
            let cached = [self.cache_read, self.cache_write].into_iter().flatten();
            Some(cached.fold(fresh, u64::saturating_add))
        };
        whole.or_else(apart)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::BufReader;

    use super::*;

    /// Beside the workspace, where there is one.
    const RECORDED: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/token_ground_truth.jsonl");

    /// By API: the least share of counts that are right, in thousandths, and the most that half and
    /// 95 per cent of them may be off by, in thousandths.
    const REACHED: [(&str, usize, u64, u64); 7] = [
        ("anthropic", 150, 12, 455),
        ("converse", 150, 15, 3_610),
        ("gemini", 180, 29, 500),
        ("openai", 930, 0, 48),
        ("openai_compatible", 280, 43, 1_590),
        ("responses", 580, 0, 640),
        ("vertex", 330, 10, 31),
    ];

    #[test]
    fn counts_of_recorded_requests_are_as_near_as_they_ever_were() {
        let Ok(file) = File::open(RECORDED) else {
            println!("skipped: ../shared not present");
            return;
        };
        let counter = Counter::embedded().unwrap();
        let accuracy = Accuracy::measure(&counter, BufReader::new(file)).unwrap();
        let apis = accuracy.by_api();
        for (api, exact, median, p95) in REACHED {
            let sample = &apis[api];
            let reached = (
                sample.exact() * 1_000 / sample.errors.len(),
                sample.percentile(50),
                sample.percentile(95),
            );
            let is_kept = reached.0 >= exact && reached.1 <= median && reached.2 <= p95;
            assert!(is_kept, "{api}: {reached:?}, was {:?}", (exact, median, p95));
        }
        for sample in apis.values().chain(accuracy.open.values()) {
            assert_eq!((sample.wrongly, sample.unbound), (0, 0));
        }
    }
}
