//! Stack traces: where it began and where it broke, without the frames between.

use super::left_out;

/// Frames left at either end of a trace.
const ENDS: usize = 3;

/// `text` with the middle frames of its stack traces left out, which are kept under `handle`; `None`
/// where no trace is long. A frame is a line as Python, Java, JavaScript, Go, Rust, C# and Ruby print
/// them, with the indented lines that belong to it.
pub fn fold_traces(text: &str, handle: &str) -> Option<String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut folded = String::with_capacity(text.len());
    let mut at = 0;
    while at < lines.len() {
        let frames = frames(&lines, at);
        let end = frames.last().copied().unwrap_or(at + 1);
        if frames.len() > 2 * ENDS + 2 {
            // The last of `frames` is the end of the last frame.
            let (from, to) = (frames[ENDS], frames[frames.len() - 1 - ENDS]);
            lines[at..from].iter().for_each(|line| push(line, &mut folded));
            let count = frames.len() - 1 - 2 * ENDS;
            push(&left_out(&format!("{count} frames"), handle), &mut folded);
            lines[to..end].iter().for_each(|line| push(line, &mut folded));
        } else {
            lines[at..end].iter().for_each(|line| push(line, &mut folded));
        }
        at = end;
    }
    folded.pop();
    (folded.len() < text.len()).then_some(folded)
}

fn push(line: &str, into: &mut String) {
    into.push_str(line);
    into.push('\n');
}

/// Where the frames begin that stand in a row from line `at` on, and where the last one ends; empty
/// where there is none.
fn frames(lines: &[&str], at: usize) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut end = at;
    while lines.get(end).is_some_and(|line| is_frame(line)) {
        starts.push(end);
        let indent = indent(lines[end]);
        end += 1;
        // The code of a frame, or its place, stands below it, further in.
        let belongs =
            |line: &&&str| indent_of(line).is_some_and(|inner| inner > indent) && !is_frame(line);
        end += lines[end..].iter().take(2).take_while(belongs).count();
    }
    if !starts.is_empty() {
        starts.push(end);
    }
    starts
}

fn is_frame(line: &str) -> bool {
    let trimmed = line.trim_start();
    let python = trimmed.starts_with("File \"") && trimmed.contains(", line ");
    let at = trimmed.starts_with("at ") && indent(line) > 0;
    let rust = trimmed.split_once(": ").is_some_and(|(number, _)| {
        indent(line) > 0 && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    let ruby = trimmed.starts_with("from ") && trimmed.contains(":in ");
    let go = trimmed.ends_with(')')
        && indent(line) == 0
        && trimmed.contains('.')
        && trimmed.contains('(')
        && !trimmed.contains(' ');
    python || at || rust || ruby || go
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

fn indent_of(line: &str) -> Option<usize> {
    (!line.trim().is_empty()).then(|| indent(line))
}
