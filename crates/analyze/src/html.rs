//! A report as a page that stands alone: no script, nothing fetched, light and dark.

use std::fmt::{self, Display, Write};

use farthing_core::Usd;
use farthing_core::advise::{Basis, Evidence, Finding, Recommendation};
use jiff::Timestamp;

use crate::anatomy::Part;
use crate::grouping::{Grouping, Row};
use crate::report::{Report, Tally};

const STYLE: &str = include_str!("html/style.css");

/// Rows of a table; what is beyond is counted.
const ROWS_MAX: usize = 500;

/// A text, safe between tags and in attributes.
struct Text<T>(T);

/// A whole number with its thousands apart.
struct Grouped(u64);

/// The page, which says when it was made.
pub fn page(report: &Report, now: Timestamp) -> String {
    let mut page = String::new();
    // Writing to a text cannot fail.
    let _ = write_page(report, now, &mut page);
    page
}

fn begin(title: &str, page: &mut String) -> fmt::Result {
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    )
}

fn write_page(report: &Report, now: Timestamp, page: &mut String) -> fmt::Result {
    begin("What the agents cost", page)?;
    head(report, now, page)?;
    anatomy(report, page)?;
    changes(&report.recommendations, page)?;
    waste(&report.waste, page)?;
    let models = report.by_model.iter().map(|(model, tally)| (model.to_string(), tally));
    table("By model", "model", models, page)?;
    let days = report.by_day.iter().map(|(day, tally)| (day.clone(), tally));
    table("By day", "day", days, page)?;
    let sessions = report.sessions.iter().map(|one| {
        let project = one.project.as_deref().map(|project| format!(" · {project}"));
        (format!("{}{}", one.session, project.unwrap_or_default()), &one.tally)
    });
    table("By session", "session", sessions, page)?;
    what_if(report, page)?;
    left_out(report, page)?;
    page.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

/// The rows of a bill as a page.
pub fn bill(grouping: Grouping, rows: &[Row], totals: &Tally, now: Timestamp) -> String {
    let mut page = String::new();
    // Writing to a text cannot fail.
    let _ = write_bill(grouping, rows, totals, now, &mut page);
    page
}

fn write_bill(
    grouping: Grouping,
    rows: &[Row],
    totals: &Tally,
    now: Timestamp,
    page: &mut String,
) -> fmt::Result {
    begin("Spending", page)?;
    write!(
        page,
        "<header>\n<h1>Spending</h1>\n<p class=\"total\">{}</p>\n<p>API-equivalent: with a \
         subscription, what you would have paid. Made {}.</p>\n</header>\n",
        amount(totals, 2),
        Text(now.strftime("%Y-%m-%d %H:%M UTC"))
    )?;
    let rows = rows.iter().map(|row| (row.name.clone(), &row.tally));
    table(grouping.title(), "", rows, page)?;
    page.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn head(report: &Report, now: Timestamp, page: &mut String) -> fmt::Result {
    let Tally { requests, usage, .. } = &report.totals;
    write!(
        page,
        "<header>\n<h1>What the agents cost</h1>\n<p class=\"total\">{}</p>\n<p>{} requests in {} sessions. ",
        amount(&report.totals, 2),
        Grouped(*requests),
        Grouped(report.sessions.len() as u64)
    )?;
    write!(
        page,
        "API-equivalent: what these tokens cost at the providers' prices; with a subscription, \
         what you would have paid. Made {}.</p>\n<dl>\n",
        Text(now.strftime("%Y-%m-%d %H:%M UTC"))
    )?;
    for (name, count) in usage.columns() {
        writeln!(
            page,
            "<div><dt>{}</dt><dd>{}</dd></div>",
            name.replace('_', " "),
            Grouped(count)
        )?;
    }
    page.push_str("</dl>\n</header>\n");
    Ok(())
}

fn anatomy(report: &Report, page: &mut String) -> fmt::Result {
    let anatomy = &report.anatomy;
    let system = if anatomy.tools.tokens == 0 { "system and tools" } else { "system" };
    let parts: [(&str, Part); 6] = [
        ("tools", anatomy.tools),
        (system, anatomy.system),
        ("history", anatomy.history),
        ("tool results", anatomy.tool_results),
        ("user", anatomy.user),
        ("output", anatomy.output),
    ];
    let whole = parts.iter().map(|(_, part)| part.cost_usd.pico()).sum::<i128>().max(1);
    page.push_str(
        "<section>\n<h2>Where the money went</h2>\n<p>Sums are the providers' counts; the split of \
         prompts is estimated by length.</p>\n<table>\n<thead><tr><th>part</th><th>share</th>\
         <th class=\"n\">tokens</th><th class=\"n\">cost</th></tr></thead>\n<tbody>\n",
    );
    for (name, part) in parts.iter().filter(|(_, part)| part.tokens > 0) {
        let permille = part.cost_usd.pico().saturating_mul(1_000) / whole;
        writeln!(
            page,
            "<tr><th>{name}</th><td><meter min=\"0\" max=\"1000\" value=\"{permille}\">{0}.{1} %</meter> {0}.{1} %</td>\
             <td class=\"n\">{2}</td><td class=\"n\">{3}</td></tr>",
            permille / 10,
            permille % 10,
            Grouped(part.tokens),
            dollars(part.cost_usd)
        )?;
    }
    page.push_str("</tbody>\n</table>\n</section>\n");
    Ok(())
}

fn changes(recommendations: &[Recommendation], page: &mut String) -> fmt::Result {
    if recommendations.is_empty() {
        return Ok(());
    }
    page.push_str("<section>\n<h2>What to change</h2>\n");
    for one in recommendations {
        write!(
            page,
            "<article>\n<h3>${:.2} a month <small>{} · {}{}</small></h3>\n<p>{}</p>\n",
            one.monthly_usd,
            Text(format!("{:?}", one.priority).to_lowercase()),
            Text(one.rule),
            basis(one.basis),
            Text(&one.change)
        )?;
        derivation(&one.steps, &one.evidence, page)?;
        page.push_str("</article>\n");
    }
    page.push_str("</section>\n");
    Ok(())
}

fn waste(findings: &[Finding], page: &mut String) -> fmt::Result {
    if findings.is_empty() {
        return Ok(());
    }
    page.push_str(
        "<section>\n<h2>Waste</h2>\n<p>Rules look at the same calls from different sides; their \
         amounts do not add up.</p>\n",
    );
    for one in findings {
        write!(
            page,
            "<article>\n<h3>{} <small>{}{}</small></h3>\n<p>{}</p>\n",
            dollars(one.usd),
            Text(one.rule),
            basis(one.basis),
            Text(&one.what)
        )?;
        derivation(&one.steps, &one.evidence, page)?;
        page.push_str("</article>\n");
    }
    page.push_str("</section>\n");
    Ok(())
}

fn derivation(steps: &[String], evidence: &[Evidence], page: &mut String) -> fmt::Result {
    page.push_str("<details>\n<summary>How this was worked out</summary>\n<ol>\n");
    for step in steps {
        writeln!(page, "<li>{}</li>", Text(step))?;
    }
    page.push_str("</ol>\n<table>\n<tbody>\n");
    for one in evidence {
        writeln!(
            page,
            "<tr><th>{}</th><td>{}</td><td class=\"n\">{}</td></tr>",
            Text(&one.call),
            Text(&one.what),
            dollars(one.usd)
        )?;
    }
    page.push_str("</tbody>\n</table>\n</details>\n");
    Ok(())
}

fn table<'t>(
    title: &str,
    of: &str,
    rows: impl ExactSizeIterator<Item = (String, &'t Tally)>,
    page: &mut String,
) -> fmt::Result {
    write!(
        page,
        "<section>\n<h2>{title}</h2>\n<table>\n<thead><tr><th>{of}</th><th class=\"n\">requests</th>\
         <th class=\"n\">input</th><th class=\"n\">cached</th><th class=\"n\">written</th>\
         <th class=\"n\">output</th><th class=\"n\">cost</th></tr></thead>\n<tbody>\n"
    )?;
    let more = rows.len().saturating_sub(ROWS_MAX);
    for (name, tally) in rows.take(ROWS_MAX) {
        let [input, read, _, _, written, output] = tally.usage.columns().map(|(_, n)| Grouped(n));
        write!(page, "<tr><th>{}</th>", Text(name))?;
        for count in [Grouped(tally.requests), input, read, written, output] {
            write!(page, "<td class=\"n\">{count}</td>")?;
        }
        writeln!(page, "<td class=\"n\">{}</td></tr>", amount(tally, 4))?;
    }
    page.push_str("</tbody>\n</table>\n");
    if more > 0 {
        writeln!(page, "<p>And {} more.</p>", Grouped(more as u64))?;
    }
    page.push_str("</section>\n");
    Ok(())
}

fn what_if(report: &Report, page: &mut String) -> fmt::Result {
    page.push_str(
        "<section>\n<h2>What if</h2>\n<p>Estimates: the same tokens at other rates.</p>\n<table>\n\
         <thead><tr><th>policy</th><th class=\"n\">cost</th><th class=\"n\">saves</th></tr></thead>\n<tbody>\n",
    );
    for one in &report.what_if {
        writeln!(
            page,
            "<tr><th>{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            Text(&one.policy),
            dollars(one.cost_usd),
            dollars(one.saves_usd)
        )?;
    }
    page.push_str("</tbody>\n</table>\n</section>\n");
    Ok(())
}

fn left_out(report: &Report, page: &mut String) -> fmt::Result {
    let incomplete = &report.incomplete;
    page.push_str("<section>\n<h2>Not in these figures</h2>\n<ul>\n");
    write!(
        page,
        "<li>{} requests with a log that breaks off before their bill</li>\n\
         <li>{} sub-agents with calls in none of the files: at least {} tokens</li>\n\
         <li>{} requests without a known price</li>\n",
        Grouped(incomplete.requests),
        Grouped(incomplete.agents_missing),
        Grouped(incomplete.tokens_at_least),
        Grouped(report.totals.unpriced)
    )?;
    for (_, skip) in report.skipped.iter() {
        writeln!(
            page,
            "<li>{} × {}; first {}</li>",
            Grouped(skip.count),
            Text(skip.reason),
            Text(&skip.first)
        )?;
    }
    page.push_str("</ul>\n</section>\n");
    Ok(())
}

fn amount(tally: &Tally, decimals: usize) -> String {
    match tally.usd() {
        Some(usd) if tally.unpriced > 0 => format!("≥ ${usd:.decimals$}"),
        Some(usd) if tally.estimated > 0 => format!("≈ ${usd:.decimals$}"),
        Some(usd) => format!("${usd:.decimals$}"),
        None => "unpriced".to_owned(),
    }
}

fn dollars(usd: Usd) -> String {
    if usd < Usd::ZERO {
        return format!("−{}", dollars(Usd::ZERO.minus(usd).unwrap_or(Usd::ZERO)));
    }
    format!("${usd:.4}")
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Observed => "",
        Basis::Estimated => " · estimated",
    }
}

impl<T: Display> Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string().chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

impl Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_char(',')?;
            }
            f.write_char(digit)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_logs_cannot_become_markup() {
        let name = "<script>alert('x')</script>&\"";
        let shown = Text(name).to_string();
        assert!(!shown.contains(['<', '>', '"', '\'']), "{shown}");
        assert_eq!(shown.matches('&').count(), 8);
    }

    #[test]
    fn thousands_stand_apart() {
        let numbers = [0, 999, 1_000, 1_234_567].map(|number| Grouped(number).to_string());
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
    }
}
