//! Files, folders, threads: from paths to logs.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use thiserror::Error;

use crate::log::{Log, Logs};
use crate::reader;
use crate::skipped::{Reason, Skipped};

/// In folders, files with other endings are foreign.
const ENDINGS: [&str; 5] = ["jsonl", "json", "ndjson", "traj", "log"];

/// Folders in folders beyond this depth are not logs.
const DEPTH_MAX: usize = 32;

/// Is told how far the reading has come, from any thread.
pub trait Progress: Sync {
    /// There will be so many bytes.
    fn total(&self, bytes: u64);
    /// So many more bytes were read.
    fn advance(&self, bytes: u64);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

/// A path that was named does not exist.
#[derive(Debug, Error)]
#[error("{path} cannot be read: {problem}; name a file or folder with transcripts")]
pub struct NoSuchPath {
    /// The path.
    pub path: String,
    /// What the system says.
    pub problem: String,
}

struct Found {
    path: PathBuf,
    bytes: u64,
}

// === impl Silent ===

impl Progress for Silent {
    fn total(&self, _: u64) {}
    fn advance(&self, _: u64) {}
}

/// Reads all logs among files and in folders, on so many threads.
///
/// Whatever cannot be read is counted with its reason. The result is the same however many threads
/// there are. Memory grows with the number of requests, and by a bounded buffer for each thread.
///
/// # Errors
/// [`NoSuchPath`] where a path that was named is not there.
pub fn scan(
    paths: &[PathBuf],
    threads: NonZero<usize>,
    progress: &impl Progress,
) -> Result<Logs, NoSuchPath> {
    let mut logs = Logs::default();
    let files = find(paths, &mut logs.skipped)?;
    logs.bytes = files.iter().map(|file| file.bytes).sum();
    progress.total(logs.bytes);
    // The longest first, so that no thread is left alone with one at the end.
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(files[*at].bytes));
    let next = AtomicUsize::new(0);
    let mut read: Vec<Option<Result<Log, Skipped>>> = files.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(threads.get());
        for _ in 0..threads.get().min(files.len()) {
            let (sender, order, next, files) = (sender.clone(), &order, &next, &files);
            scope.spawn(move || {
                while let Some(at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let log = open(&files[*at], progress);
                    if sender.send((*at, log)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        receiver.iter().for_each(|(at, log)| read[at] = Some(log));
    });
    for log in read.into_iter().flatten() {
        match log {
            Ok(log) => logs.files.push(log),
            Err(skipped) => logs.skipped.merge(skipped),
        }
    }
    Ok(logs)
}

/// The files, each once, in the order of their names.
fn find(paths: &[PathBuf], skipped: &mut Skipped) -> Result<Vec<Found>, NoSuchPath> {
    let mut found = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path).map_err(|error| NoSuchPath {
            path: path.display().to_string(),
            problem: error.to_string(),
        })?;
        if metadata.is_dir() {
            walk(path, DEPTH_MAX, &mut found, skipped);
        } else {
            found.push(Found { path: path.clone(), bytes: metadata.len() });
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|file| {
        seen.insert(fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone()))
    });
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<Found>, skipped: &mut Skipped) {
    let unreadable = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return skipped.add(Reason::Unreadable, || unreadable(folder, error)),
    };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        match (fs::symlink_metadata(&path), fs::metadata(&path)) {
            // A link to a folder could lead in a circle.
            (Ok(link), Ok(metadata)) if metadata.is_dir() => {
                if link.is_dir() && depth > 0 {
                    walk(&path, depth - 1, found, skipped);
                }
            }
            (_, Ok(metadata)) if metadata.is_file() => {
                let ending = path.extension().and_then(|ending| ending.to_str());
                if ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
                    found.push(Found { path, bytes: metadata.len() });
                } else {
                    skipped.add(Reason::ForeignFile, || path.display().to_string());
                }
            }
            (_, Ok(_)) => {}
            (_, Err(error)) => skipped.add(Reason::Unreadable, || unreadable(&path, error)),
        }
    }
}

fn open(found: &Found, progress: &impl Progress) -> Result<Log, Skipped> {
    let name: Arc<str> = found.path.display().to_string().into();
    let because = |reason, place: String| {
        let mut skipped = Skipped::default();
        skipped.add(reason, || place);
        skipped
    };
    let file = File::open(&found.path)
        .map_err(|error| because(Reason::Unreadable, format!("{name}: {error}")))?;
    reader::read(Counted { file, progress }, name)
}

/// A file that tells how much of it was read.
struct Counted<'p, P> {
    file: File,
    progress: &'p P,
}

impl<P: Progress> std::io::Read for Counted<'_, P> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}
