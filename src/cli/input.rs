//! What commands read: arguments, files, standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// As a file's name: standard input.
const STDIN: &str = "-";

/// The longest text or body that is read into memory.
const BYTES_MAX: u64 = 256 << 20;

/// A text, and what to call it.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) name: String,
}

/// An argument that is a text, the name of a file with one, or `-`.
pub(super) fn text(argument: &str) -> Result<Text> {
    let path = Path::new(argument);
    if argument != STDIN && !path.is_file() {
        return Ok(Text { text: argument.to_owned(), name: "a text".to_owned() });
    }
    let text = String::from_utf8(body(path)?);
    let text = text.map_err(|_| anyhow::anyhow!("{} is not UTF-8 text", name(path)))?;
    Ok(Text { text, name: name(path) })
}

/// All of a file.
pub(super) fn body(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut limited = open(path)?.take(BYTES_MAX + 1);
    limited.read_to_end(&mut bytes).with_context(|| unreadable(path))?;
    if bytes.len() as u64 > BYTES_MAX {
        bail!("{} is longer than {} MiB; give a shorter one", name(path), BYTES_MAX >> 20);
    }
    Ok(bytes)
}

/// A file, to be read bit by bit.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    if path == STDIN {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(BufReader::new(File::open(path).with_context(|| unreadable(path))?)))
}

/// What to call a file.
pub(super) fn name(path: &Path) -> String {
    if path == STDIN { "standard input".to_owned() } else { path.display().to_string() }
}

fn unreadable(path: &Path) -> String {
    format!("{} cannot be read", name(path))
}
