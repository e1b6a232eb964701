//! `farthing catalog list`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use farthing_core::pricing::{Catalog, Model, Served};
use farthing_core::usage::Bucket;
use jiff::Timestamp;
use serde_json::json;

use crate::house;
use crate::print::Output;
use crate::print::figures::plural;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Whose models.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// A file with settings of your own.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let catalog = super::configured(args.config.as_ref())?;
    let mut out = Output::stdout();
    match &args.provider {
        Some(provider) => models(&catalog, provider, args.json, &mut out)?,
        None => providers(&catalog, args.json, &mut out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn providers(catalog: &Catalog, json: bool, out: &mut Output) -> Result<()> {
    let counted = catalog.providers().map(|provider| (provider, catalog.models(provider).len()));
    if json {
        let shown =
            counted.map(|(provider, models)| json!({ "provider": provider, "models": models }));
        out.json(&shown.collect::<Vec<_>>())?;
        return Ok(());
    }
    for (provider, models) in counted {
        let models = plural(u64::try_from(models)?, "model");
        writeln!(out, "{provider:<12}  {models:>12}")?;
    }
    Ok(())
}

fn models(catalog: &Catalog, provider: &str, json: bool, out: &mut Output) -> Result<()> {
    let models = catalog.models(provider);
    if models.is_empty() {
        let known: Vec<_> = catalog.providers().collect();
        bail!("there are no prices of `{provider}`; there are of {}", known.join(", "));
    }
    let now = house::clock().now();
    if json {
        let shown = models.iter().map(|model| {
            json!({
                "id": model.id, "aliases": model.aliases, "mode": model.mode, "free": model.free,
                "input": dollars(model, now, Bucket::Input), "output": dollars(model, now, Bucket::Output),
            })
        });
        out.json(&shown.collect::<Vec<_>>())?;
        return Ok(());
    }
    let width = models.iter().map(|model| model.id.chars().count()).max().unwrap_or_default();
    writeln!(out, "{:<width$}  {:>10}  {:>10}  $ per million tokens", "model", "input", "output")?;
    for model in models {
        let [input, output] = [Bucket::Input, Bucket::Output]
            .map(|bucket| dollars(model, now, bucket).unwrap_or_else(|| "–".to_owned()));
        writeln!(out, "{:<width$}  {input:>10}  {output:>10}", model.id)?;
    }
    Ok(())
}

/// What the shortest prompts pay today.
fn dollars(model: &Model, now: Timestamp, bucket: Bucket) -> Option<String> {
    let price = model.price_at(now, &Served::new())?;
    Some(price.rates.get(&bucket)?.at(0).dollars(bucket))
}
