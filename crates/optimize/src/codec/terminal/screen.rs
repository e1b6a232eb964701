//! What is left on the screen: control sequences carried out or dropped.

/// A column that a control sequence may move to; further right is this far.
const COLUMN_MAX: usize = 1000;

/// Blanks that a text may put between its words by moving the cursor, beside as many as it has bytes.
const BLANKS_MAX: usize = 1 << 16;

/// How many lines up a control sequence may reach.
const UP_MAX: usize = 200;

/// Whether `text` came from a terminal: it has an escape sequence, overstruck letters, or a line that
/// carriage returns wrote over and over. A carriage return may also be how a file ends its lines, so
/// alone it is no proof.
pub(super) fn is_terminal(text: &str) -> bool {
    let bytes = text.as_bytes();
    let escape = memchr::memchr2_iter(0x1b, 0x08, bytes).next().is_some();
    escape || (memchr::memchr(b'\r', bytes).is_some() && text.split('\n').any(is_progress))
}

/// Whether the states that carriage returns part are states of one thing: most begin with the same
/// letters as the one before.
fn is_progress(line: &str) -> bool {
    let states: Vec<&str> = line.split('\r').filter(|state| !state.trim().is_empty()).collect();
    let letters =
        |state: &str| -> String { state.chars().filter(|c| c.is_alphabetic()).take(8).collect() };
    let alike = states.windows(2).filter(|pair| letters(pair[0]) == letters(pair[1])).count();
    states.len() >= 2 && alike * 2 >= states.len()
}

/// `text` as it stands on the screen in the end.
///
/// Colours, titles and other sequences are dropped. A carriage return, a backspace and the sequences
/// that move within a line, a few lines up or down, or erase to an end of the line or the screen are
/// carried out, so that of a progress bar its last state is left. Lines end with a line feed.
pub(super) fn final_state(text: &str) -> String {
    let mut screen =
        Screen { lines: vec![Vec::new()], row: 0, column: 0, blanks_left: text.len() + BLANKS_MAX };
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
        screen.print(&rest[..at]);
        rest = screen.control(&rest[at..]);
    }
    screen.print(rest);
    let mut state = String::with_capacity(text.len());
    for (row, line) in screen.lines.iter().enumerate() {
        if row > 0 {
            state.push('\n');
        }
        state.extend(line);
    }
    state
}

/// Lines, with a cursor. A column is a character; wide ones are not told apart.
struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// So many blanks may still be written between the end of a line and the cursor.
    blanks_left: usize,
}

// === impl Screen ===

impl Screen {
    fn print(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let (column, blanks_left) = (self.column, self.blanks_left);
        let line = self.line();
        let blanks = column.saturating_sub(line.len()).min(blanks_left);
        line.resize(line.len() + blanks, ' ');
        let column = column.min(line.len());
        let mut chars = text.chars();
        for (cell, c) in line[column..].iter_mut().zip(chars.by_ref()) {
            *cell = c;
        }
        line.extend(chars);
        self.blanks_left -= blanks;
        self.column = column + text.chars().count();
    }

    fn line(&mut self) -> &mut Vec<char> {
        if self.lines.len() <= self.row {
            self.lines.resize(self.row + 1, Vec::new());
        }
        &mut self.lines[self.row]
    }

    /// Carries out what `text` begins with; what stands behind it is left.
    fn control<'t>(&mut self, text: &'t str) -> &'t str {
        let mut chars = text.chars();
        match chars.next() {
            Some('\n') => {
                self.row += 1;
                self.column = 0;
                self.line();
            }
            Some('\r') => self.column = 0,
            Some('\u{8}') => self.column = self.column.saturating_sub(1),
            Some('\u{1b}') => return self.escape(chars.as_str()),
            Some('\u{9b}') => return self.sequence(chars.as_str()),
            _ => {}
        }
        chars.as_str()
    }

    fn escape<'t>(&mut self, text: &'t str) -> &'t str {
        let mut chars = text.chars();
        match chars.next() {
            Some('[') => self.sequence(chars.as_str()),
            // Titles, links and the like end with a bell or `ESC \`; one that does neither before
            // the line ends is dropped alone.
            Some(']' | 'P' | '_' | '^' | 'X') => {
                let rest = chars.as_str();
                let Some(end) = rest.find(['\n', '\u{7}', '\u{1b}', '\u{9c}']) else { return rest };
                let ending = &rest[end..];
                if ending.starts_with('\n') {
                    return rest;
                }
                let ended = ending.strip_prefix("\u{1b}\\").unwrap_or(ending);
                ended.strip_prefix(['\u{7}', '\u{9c}']).unwrap_or(ended)
            }
            Some(' '..='/') => {
                let rest = chars.as_str().trim_start_matches(|c| matches!(c, ' '..='/'));
                rest.get(1..)
                    .filter(|_| rest.starts_with(|c| matches!(c, '0'..='~')))
                    .unwrap_or(rest)
            }
            Some('0'..='~') => chars.as_str(),
            _ => text,
        }
    }

    /// `ESC [`, parameters, intermediates, and a letter that says what to do.
    fn sequence<'t>(&mut self, text: &'t str) -> &'t str {
        let parameters = text.len() - text.trim_start_matches(|c| matches!(c, '0'..='?')).len();
        let (parameters, rest) = text.split_at(parameters);
        let rest = rest.trim_start_matches(|c| matches!(c, ' '..='/'));
        let mut chars = rest.chars();
        match chars.next() {
            Some(action @ '@'..='~') => {
                let number = parameters.split(';').next().unwrap_or_default().parse().ok();
                self.act(action, number);
                chars.as_str()
            }
            _ => rest,
        }
    }

    fn act(&mut self, action: char, number: Option<usize>) {
        let count = number.unwrap_or(1).max(1);
        match action {
            'A' | 'F' => {
                self.row = self.row.saturating_sub(count.min(UP_MAX));
                self.column = if action == 'F' { 0 } else { self.column };
            }
            'B' | 'E' => {
                // Further down than the last line there is nothing to move to.
                self.row = (self.row + count.min(UP_MAX)).min(self.lines.len() - 1);
                self.column = if action == 'E' { 0 } else { self.column };
            }
            'C' => {
                self.column = (self.column + count.min(COLUMN_MAX)).min(self.column.max(COLUMN_MAX))
            }
            'D' => self.column = self.column.saturating_sub(count),
            'G' => self.column = (count - 1).min(COLUMN_MAX),
            'K' => self.erase_line(number.unwrap_or(0)),
            'J' if number.unwrap_or(0) == 0 => {
                self.erase_line(0);
                let row = self.row;
                self.lines.truncate(row + 1);
            }
            _ => {}
        }
    }

    fn erase_line(&mut self, part: usize) {
        let column = self.column;
        let line = self.line();
        match part {
            0 => line.truncate(column),
            // Bounded, or erasing a long line again and again would take forever.
            1 => line.iter_mut().take(column.min(COLUMN_MAX)).for_each(|cell| *cell = ' '),
            _ => line.clear(),
        }
    }
}
