//! `farthing config`, and where every command takes its settings from.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use toml::Value;

use crate::config::{Config, Key, Layers, PREFIX, Problems, Setting, Settings};
use crate::print::Output;

/// The file that is read where none is named.
const FOUND: &str = "farthing.toml";

/// The longest line to which the origins of all are aligned.
const ALIGNED_CHARS: usize = 44;

/// Where settings come from.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Sources {
    /// A file with settings of your own.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The ledger's file, instead of the configured one.
    #[arg(long, value_name = "FILE")]
    pub(super) store: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// Print the settings that hold, as TOML.
    Show(Show),
    /// Say all that is wrong with the settings.
    Check(Check),
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    sources: Sources,
    /// Say of each where it comes from.
    #[arg(long)]
    origin: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// What to check, instead of the file that would be read.
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,
    #[command(flatten)]
    sources: Sources,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A setting as JSON.
#[derive(Serialize)]
struct Shown<'s> {
    key: String,
    value: &'s Value,
    origin: String,
}

#[derive(Serialize)]
struct Checked {
    ok: bool,
    file: Option<PathBuf>,
    problems: Vec<String>,
}

// === impl Sources ===

impl Sources {
    pub(super) fn load(&self) -> Result<Config> {
        Ok(Config::load(Some(&self.layers()))?)
    }

    /// What lies over the default.
    pub(super) fn layers(&self) -> Layers {
        let variables = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into()))
            .filter(|(name, _): &(String, String)| name.starts_with(PREFIX));
        let store = self.store.as_deref();
        Layers {
            file: self.file().map(|(file, _)| file),
            variables: variables.collect(),
            flags: store
                .map(|store| Setting::of_flag("--store", &["store", "path"], store))
                .into_iter()
                .collect(),
        }
    }

    /// The settings, where they can be read, and all that would keep a gateway from starting.
    pub(super) fn check(&self) -> (Option<Config>, Vec<String>) {
        let settings = Settings::read(&self.layers());
        let config = match settings.and_then(|settings| settings.config()) {
            Ok(config) => config,
            Err(Problems(all)) => return (None, all.iter().map(ToString::to_string).collect()),
        };
        let routes = config.routes(|name| std::env::var(name).ok()).err();
        let problems = routes.into_iter().map(|error| format!("{error:#}")).collect();
        (Some(config), problems)
    }

    /// Where settings come from, in words that go behind "from".
    pub(super) fn description(&self) -> String {
        match self.file() {
            Some((file, why)) => format!("{}, {why}", file.display()),
            None => format!("the defaults: there is no {FOUND} in the current folder"),
        }
    }

    /// The file, and why it is this one.
    fn file(&self) -> Option<(PathBuf, &'static str)> {
        let variable = std::env::var_os("FARTHING_CONFIG").filter(|path| !path.is_empty());
        match (&self.config, variable) {
            (Some(file), _) => Some((file.clone(), "given with --config")),
            (None, Some(file)) => Some((file.into(), "named in FARTHING_CONFIG")),
            (None, None) => {
                let here = Path::new(FOUND).is_file();
                here.then(|| (FOUND.into(), "found in the current folder"))
            }
        }
    }
}

// === commands ===

pub(super) fn run(action: &Action) -> Result<ExitCode> {
    match action {
        Action::Show(args) => show(args),
        Action::Check(args) => check(args),
    }
}

fn show(args: &Show) -> Result<ExitCode> {
    let settings = Settings::read(&args.sources.layers())?;
    settings.config()?;
    let mut out = Output::stdout();
    if args.json {
        let shown = settings.iter().map(|Setting { key, value, origin }| Shown {
            key: key.to_string(),
            value,
            origin: origin.to_string(),
        });
        out.json(&shown.collect::<Vec<_>>())?;
    } else {
        if args.origin {
            writeln!(out, "# from {}\n", args.sources.description())?;
        }
        print(&mut out, &settings, args.origin)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(out: &mut impl Write, settings: &Settings, with_origin: bool) -> io::Result<()> {
    let lines: Vec<_> = settings.iter().map(lines).collect();
    let lengths = lines.iter().flatten().map(|line| line.chars().count());
    let width = lengths.filter(|length| *length <= ALIGNED_CHARS).max().unwrap_or_default();
    let mut section = Key::default();
    for (setting, lines) in settings.iter().zip(&lines) {
        if setting.key.section() != section {
            let first = section == Key::default();
            section = setting.key.section();
            writeln!(out, "{}[{section}]", if first { "" } else { "\n" })?;
        }
        for line in lines {
            if with_origin && !line.is_empty() {
                writeln!(out, "{line:<width$}  # {}", setting.origin)?;
            } else {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

/// A setting as lines of TOML.
fn lines(Setting { key, value, .. }: &Setting) -> Vec<String> {
    let tables = value.as_array().into_iter().flatten().filter_map(Value::as_table);
    let sections = tables.flat_map(|table| {
        let inner = table.iter().map(|(name, value)| format!("{name} = {}", literal(value)));
        [String::new(), format!("[[{key}]]")].into_iter().chain(inner)
    });
    let sections: Vec<_> = sections.collect();
    if sections.is_empty() {
        vec![format!("{} = {}", key.name(), literal(value))]
    } else {
        sections
    }
}

/// A value as TOML, which spells texts, numbers and lists of them as JSON does.
fn literal(value: &Value) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    json.replace('\u{7f}', "\\u007f")
}

fn check(args: &Check) -> Result<ExitCode> {
    let mut sources = args.sources.clone();
    sources.config = args.file.clone().or(sources.config);
    let (_, problems) = sources.check();
    let ok = problems.is_empty();
    let mut out = Output::stdout();
    if args.json {
        let file = sources.file().map(|(file, _)| file);
        out.json(&Checked { ok, file, problems })?;
    } else if ok {
        writeln!(out, "ok, from {}", sources.description())?;
    } else {
        problems.iter().try_for_each(|problem| writeln!(out, "{problem}"))?;
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
