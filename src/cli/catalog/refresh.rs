//! `farthing catalog refresh`: the converter that wrote the built-in facts, run once more.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use farthing_core::pricing::Catalog;
use jiff::tz::TimeZone;

use super::diff;
use crate::house;
use crate::print::Output;

macro_rules! scripts {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../../tools/catalog/", $name))),)*]
    };
}

/// The converter, so that it need not be looked for.
const SCRIPTS: [(&str, &str); 5] =
    scripts!["convert.py" "corrections.toml" "facts.py" "names.py" "packages.py"];

/// What the converter ends with where a package cannot be fetched.
const OFFLINE: i32 = 3;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The folder for the files; what it has is replaced.
    #[arg(value_name = "DIR")]
    out: PathBuf,
    /// The newest packages, not those of the built-in facts.
    #[arg(long)]
    latest: bool,
    /// Where packages are kept that were fetched before.
    #[arg(long, value_name = "DIR")]
    packages: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let today = house::clock().now().to_zoned(TimeZone::UTC).date().to_string();
    let scripts = args.out.join(".scripts");
    let kept = args.packages.clone().unwrap_or_else(|| args.out.join(".packages"));
    let done = unpack(&scripts).and_then(|()| convert(args, &scripts, &kept, &today));
    fs::remove_dir_all(&scripts).ok();
    match done? {
        Some(0) => {}
        Some(OFFLINE) => {
            bail!("the packages cannot be fetched; nothing was written, try again online")
        }
        _ => bail!("the converter failed; what it said stands above"),
    }
    let files = super::read(&args.out)?;
    let new = Catalog::parse(&super::borrowed(&files))?;
    let mut out = Output::stdout();
    diff::print(&Catalog::embedded()?.as_ref().clone(), &new, &mut out)?;
    writeln!(out, "\nwritten to {}; review it before you use it", args.out.display())?;
    Ok(ExitCode::SUCCESS)
}

fn unpack(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for (name, text) in SCRIPTS {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}

/// Runs the converter, whose progress goes to stderr; its exit code.
fn convert(args: &Args, scripts: &Path, packages: &Path, today: &str) -> Result<Option<i32>> {
    let mut command = Command::new("python3");
    command.arg("-B").arg(scripts.join("convert.py"));
    command.arg("--out").arg(&args.out).arg("--packages").arg(packages).args(["--checked", today]);
    command.args(args.latest.then_some("--latest"));
    match command.status() {
        Ok(status) => Ok(status.code()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("python3 is not installed; the converter needs it, with pip, and cargo")
        }
        Err(error) => Err(error).context("python3 cannot be run"),
    }
}
