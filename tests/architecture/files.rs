//! The Rust files of the repository.

use std::fs;
use std::path::Path;

use crate::syntax::{self, Token};

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A source file and its path from the root, with `/` between the parts.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// The tokens of what is shipped: of a file of tests none, of another all but the tests inside.
    pub(crate) fn code(&self) -> Vec<Token<'_>> {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let is_test = name == "tests.rs" || name.ends_with("_tests.rs");
        if is_test || folder.split('/').any(|part| part == "tests") {
            return Vec::new();
        }
        syntax::without_tests(&syntax::tokens(&self.text))
    }
}

/// Every Rust file under `folder`, which is `""` for the root or ends with `/`, in order of path.
pub(crate) fn rust_files(folder: &str) -> Vec<File> {
    let mut files = Vec::new();
    walk(folder, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Collects the Rust files under `folder`; what is hidden or built is not source.
fn walk(folder: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(Path::new(ROOT).join(folder)).expect("a folder can be listed") {
        let entry = entry.expect("a folder can be listed");
        let path = format!("{folder}{}", entry.file_name().to_string_lossy());
        let name = &path[folder.len()..];
        if name.starts_with('.') || name == "target" || name == "node_modules" {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&format!("{path}/"), files);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).expect("source is UTF-8");
            files.push(File { path, text });
        }
    }
}
