//! Texts to count: made to hurt, or what this machine has.

use std::path::{Path, PathBuf};

/// Numbers without pattern, the same at every run.
fn noise(length: usize) -> impl Iterator<Item = usize> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..length).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % 0xffff) as usize
    })
}

/// Characters of `alphabet` without pattern.
pub(crate) fn drawn(alphabet: &str, length: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    noise(length).map(|number| alphabet[number % alphabet.len()]).collect()
}

/// Texts without spaces, structure or mercy, of about this many characters each.
pub(crate) fn cruel(length: usize) -> Vec<String> {
    let units = [" ", "\n", "a", "=-", "-", "\t", "\u{301}", "'s", " \n", "\r\n", "漢", "ก\u{e33}"];
    let alphabets = [
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "0123456789abcdef",
        "abcdefghijklmnopqrstuvwxyz",
        "ACGT",
        "=-_.#*",
        "漢字😀かな👩\u{200d}🚀글 \n",
        " \t\r\n\u{a0}\u{3000}",
    ];
    let repeated = units.into_iter().map(|unit| unit.repeat(length / unit.len()));
    repeated.chain(alphabets.into_iter().map(|alphabet| drawn(alphabet, length))).collect()
}

/// What a developer's machine has: sources, documentation and data of the packages that cargo
/// unpacked; nothing where it did not.
pub(crate) fn of_this_machine(budget: usize) -> Vec<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let mut files = Vec::new();
    if let Some(home) = home {
        collect(&home.join("registry/src"), 6, &mut files);
    }
    files.sort();
    let mut left = budget;
    // Files of all packages, not all files of the first ones.
    let order = noise(files.len()).zip(&files).collect::<std::collections::BTreeMap<_, _>>();
    let texts = order.values().filter_map(|path| std::fs::read_to_string(path).ok());
    texts
        .take_while(|text| {
            let enough = left == 0;
            left = left.saturating_sub(text.len());
            !enough
        })
        .collect()
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, files);
            }
        } else if let Some("rs" | "md" | "json" | "toml" | "txt" | "c" | "py" | "js") =
            path.extension().and_then(|extension| extension.to_str())
        {
            files.push(path);
        }
    }
}
