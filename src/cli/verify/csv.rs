//! Tables as text.

/// The rows of a table, each with the number of its line; empty ones are left out. Cells may be quoted.
pub(super) fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut rows = Vec::new();
    let (mut row, mut cell) = (Vec::new(), String::new());
    let (mut quoted, mut line, mut began) = (false, 1, 1);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push((began, std::mem::take(&mut row)));
                began = line + 1;
            }
            '\r' if !quoted => {}
            _ => cell.push(c),
        }
        line += usize::from(c == '\n');
    }
    row.push(cell);
    rows.push((began, row));
    rows.retain(|(_, row)| row.iter().any(|cell| !cell.trim().is_empty()));
    rows
}

#[test]
fn cells_may_hold_commas_quotes_and_line_breaks() {
    let table = "a,b\r\n\"1,5\",\"say \"\"no\"\"\"\n\n\"two\nlines\",3";
    let cells = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
    assert_eq!(
        rows(table),
        [
            (1, cells(["a", "b"])),
            (2, cells(["1,5", "say \"no\""])),
            (4, cells(["two\nlines", "3"])),
        ]
    );
}
