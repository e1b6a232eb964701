//! Telling text that an agent may edit from text that only informs it.
//!
//! An edit tool finds its place by the exact text that it was shown. So whatever looks like a
//! source file, a diff or markdown keeps every blank.

/// No more lines than these are looked at.
const LINES_MAX: usize = 400;

/// Whether `text` looks like source code, a numbered view of a file, a diff or markdown.
pub(crate) fn is_source(text: &str) -> bool {
    let (mut lines, mut code, mut numbered) = (0_usize, 0_usize, 0_usize);
    let (mut last, mut blank) = (None, 0);
    for line in text.lines().take(LINES_MAX) {
        if line.trim().is_empty() {
            blank += 1;
            continue;
        }
        if is_certain(line) {
            return true;
        }
        lines += 1;
        code += usize::from(is_code(line));
        let number = Numbered::parse(line).map(|numbered| numbered.number);
        let follows = number
            .zip(last)
            .is_some_and(|(number, last): (u64, u64)| last.checked_add(1 + blank) == Some(number));
        numbered += usize::from(follows);
        (last, blank) = (number, 0);
    }
    numbered >= 3 || (lines >= 3 && code * 4 >= lines)
}

/// A line that only a diff, markdown or a script has.
fn is_certain(line: &str) -> bool {
    ["```", "diff --git ", "@@ -", "#!/", "#include", "<?php", "<!DOCTYPE"]
        .iter()
        .any(|start| line.trim_start().starts_with(start))
}

/// Whether a line can hardly be anything but one of a program.
pub(crate) fn is_statement(line: &str) -> bool {
    line.starts_with([' ', '\t']) || line.ends_with(['{', '}', ';', '\\'])
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    let ends = ['{', '}', ';', '(', ')', '[', ']', ',', '\\'];
    let starts = [
        "def ", "class ", "import ", "from ", "fn ", "pub ", "use ", "//", "/*", "* ", "# ", "</",
        "return ",
    ];
    line.ends_with(ends) || starts.iter().any(|start| line.starts_with(start))
}

/// A line of a file view that shows its number: `    12\ttext`, `12:text`, `12→text`, `12| text`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbered<'l> {
    pub(crate) number: u64,
    /// Blanks and digits.
    pub(crate) width: usize,
    /// Whether there are blanks before the digits.
    pub(crate) padded: bool,
    /// What stands between the number and the text.
    pub(crate) separator: &'l str,
    pub(crate) text: &'l str,
}

// === impl Numbered ===

impl<'l> Numbered<'l> {
    pub(crate) fn parse(line: &'l str) -> Option<Self> {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        let digits = line[blanks..].bytes().take_while(u8::is_ascii_digit).count();
        let width = blanks + digits;
        if digits == 0 || digits > 9 || line[blanks..].starts_with('0') {
            return None;
        }
        let rest = &line[width..];
        let separator = ["\t", "→", ":", "|"].into_iter().find(|mark| rest.starts_with(mark))?;
        let (separator, text) = rest.split_at(separator.len());
        Some(Self {
            number: line[blanks..width].parse().ok()?,
            width,
            padded: blanks > 0,
            separator,
            text,
        })
    }

    /// The same line under another number.
    pub(crate) fn renumbered(&self, number: u64) -> String {
        let width = if self.padded { self.width } else { 0 };
        format!("{number:>width$}{}{}", self.separator, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_lines_are_read_in_every_style() {
        for line in ["    12\ta = 1", "12:a = 1", "    12→a = 1", "12|a = 1"] {
            let numbered = Numbered::parse(line).unwrap();
            assert_eq!((numbered.number, numbered.text), (12, "a = 1"), "{line}");
            assert_eq!(numbered.renumbered(12), line);
        }
        assert_eq!(Numbered::parse("     9\ta").unwrap().renumbered(10), "    10\ta");
        assert_eq!(Numbered::parse("9:a").unwrap().renumbered(10), "10:a");
        for line in ["", "a", "12", "12 a", "07:30", "1234567890:x", "→"] {
            assert_eq!(Numbered::parse(line), None, "{line}");
        }
    }

    #[test]
    fn what_an_agent_may_edit_is_told_from_what_informs_it() {
        assert!(is_source("fn main() {\n    let a = 1;\n    b(a);\n}\n"));
        assert!(is_source("     1\ta\n     2\tb\n     3\tc\n     4\td\n"));
        assert!(is_source("Read this:\n```sh\nls\n```\n"));
        assert!(is_source("diff --git a/x b/x\n+a\n"));
        assert!(!is_source("total 300\n-rw-r--r-- 1 root root 9336 Apr 30 08:32 BUILD.md\n"));
        assert!(!is_source("The flight was booked.\nIt leaves at nine.\nHave a good day.\n"));
        assert!(!is_source(""));
    }
}
