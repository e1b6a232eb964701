//! What of a catalog's facts is doubtful, although the files can be read.

use std::fmt;
use std::ops::RangeInclusive;

use jiff::civil::Date;

use super::catalog::Catalog;
use super::model::{Model, Price};
use super::rate::Rate;
use super::served::Served;
use crate::usage::Bucket;

/// Beyond these a price was probably given for another unit: pico-dollars a token, so from a hundredth
/// of a cent to ten thousand dollars a million.
const SANE_PICO: RangeInclusive<i128> = 100..=10_000_000_000;

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Whose price list it is about.
    pub provider: String,
    /// The model.
    pub model: String,
    /// What is doubtful.
    pub what: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It may be so, and a person should know.
    Note,
    /// It cannot be right.
    Error,
}

// === impl Catalog ===

impl Catalog {
    /// All that is doubtful in the price lists, by provider and model. That the files can be read,
    /// that no name leads to two models and that no rate is negative is sure already.
    pub fn check(&self, today: Date) -> Vec<Finding> {
        let models = self.providers().flat_map(|provider| self.models(provider));
        models.flat_map(|model| self.check_model(model, today)).collect()
    }

    fn check_model(&self, model: &Model, today: Date) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut found = |severity, what| {
            let (provider, model) = (model.provider.to_string(), model.id.clone());
            findings.push(Finding { severity, provider, model, what });
        };
        for name in self.misled(model) {
            found(Severity::Error, format!("its name `{name}` leads to another model"));
        }
        if model.sources.is_empty() || model.checked.is_none() {
            found(Severity::Note, "has no source, or no day on which it was checked".to_owned());
        }
        if let Some(checked) = model.checked.filter(|checked| *checked > today) {
            found(Severity::Error, format!("was checked on {checked}, which is yet to come"));
        }
        if model.max_output.zip(model.context).is_some_and(|(output, context)| output > context) {
            found(Severity::Note, "may answer more than its context holds".to_owned());
        }
        for price in model.prices().iter().filter(|price| !price.derived) {
            for (severity, what) in doubts(price) {
                found(severity, format!("{what}{}", said_of(price)));
            }
        }
        findings
    }

    /// Names of the model that lead elsewhere.
    fn misled<'m>(&self, model: &'m Model) -> impl Iterator<Item = &'m String> {
        let names = std::iter::once(&model.id).chain(&model.aliases);
        names.filter(|name| {
            let asked = name.replace('#', "1");
            let latest = model.prices().iter().filter_map(|price| price.from).max();
            let at = latest.unwrap_or_default();
            let found = self.resolve(&model.provider, &asked, at, &Served::new());
            found.is_ok_and(|found| found.model.id != model.id)
        })
    }
}

/// What is doubtful about a price on its own.
fn doubts(price: &Price) -> Vec<(Severity, String)> {
    let mut doubts = Vec::new();
    let base = |bucket: Bucket| price.rates.get(&bucket).map(|rate| rate.at(0));
    let input = base(Bucket::Input);
    if let Some((read, input)) =
        base(Bucket::CacheRead).zip(input).filter(|(read, input)| read > input)
    {
        let [read, input] = [read, input].map(|rate| rate.dollars(Bucket::Input));
        doubts.push((
            Severity::Note,
            format!("reads its cache at {read}, dearer than input at {input}"),
        ));
    }
    if let Some((write, read)) =
        base(Bucket::CacheWrite5m).zip(base(Bucket::CacheRead)).filter(|(write, read)| write < read)
    {
        let [write, read] = [write, read].map(|rate| rate.dollars(Bucket::Input));
        doubts.push((
            Severity::Note,
            format!("writes its cache at {write}, cheaper than it reads it at {read}"),
        ));
    }
    let tokens = price.rates.iter().filter(|(bucket, _)| bucket.is_token());
    for (bucket, rate) in tokens {
        let insane = rate.tiers().find(|(_, rate)| !is_sane(*rate));
        if let Some((_, rate)) = insane {
            let (name, dollars) = (bucket.name(), rate.dollars(*bucket));
            doubts.push((
                Severity::Error,
                format!("asks {dollars} dollars for a million of {name}; check the unit"),
            ));
        }
    }
    doubts
}

/// Whether a price for a million tokens is one that somebody may ask; nothing is.
fn is_sane(rate: Rate) -> bool {
    let token = rate.times(1).map(|price| price.settle().0.pico());
    rate.is_zero() || token.is_ok_and(|pico| SANE_PICO.contains(&pico))
}

/// Which of a model's prices it is.
fn said_of(price: &Price) -> String {
    let when: Vec<_> =
        price.when.iter().map(|(what, how)| format!("{} {how}", what.name())).collect();
    let when = if when.is_empty() { String::new() } else { format!(", {}", when.join(" and ")) };
    let from = price.from.map_or(String::new(), |from| format!(", from {}", from.strftime("%F")));
    let hours = price.hours.as_ref().map_or(String::new(), |hours| format!(", {hours}"));
    format!("{when}{from}{hours}")
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.provider, self.model, self.what)
    }
}
