//! A bill as comma-separated values (RFC 4180).

use std::io::{self, Write};

use farthing_analyze::grouping::{Grouping, Row};
use farthing_analyze::report::Tally;

pub(super) fn write(
    grouping: Grouping,
    rows: &[Row],
    breakdown: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let model = if breakdown { ",model" } else { "" };
    write!(out, "{}{model},requests", grouping.name())?;
    for (name, _) in Tally::default().usage.columns() {
        write!(out, ",{name}")?;
    }
    write!(out, ",cost_usd,cost_status\r\n")?;
    for row in rows {
        if !breakdown {
            line(&[&row.name], &row.tally, out)?;
            continue;
        }
        for (model, tally) in &row.by_model {
            line(&[&row.name, model], tally, out)?;
        }
    }
    Ok(())
}

fn line(names: &[&str], tally: &Tally, out: &mut impl Write) -> io::Result<()> {
    for name in names {
        write!(out, "{},", quoted(name))?;
    }
    write!(out, "{}", tally.requests)?;
    for (_, count) in tally.usage.columns() {
        write!(out, ",{count}")?;
    }
    let usd = tally.usd().map(|usd| usd.to_string()).unwrap_or_default();
    write!(out, ",{usd},{}\r\n", tally.status().name())
}

/// A field, quoted where it has to be, and never a formula to a spreadsheet.
fn quoted(field: &str) -> String {
    let field = match field.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{field}"),
        _ => field.to_owned(),
    };
    if field.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", field.replace('"', "\"\""));
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_no_formula() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=1+1"), "'=1+1");
    }
}
