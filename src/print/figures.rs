//! Figures as people read them.

use farthing_core::anatomy::ByKind;

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (left, digit) in (1..=digits.len()).rev().zip(digits.chars()) {
        grouped.push(digit);
        if left % 3 == 1 && left > 1 {
            grouped.push(',');
        }
    }
    grouped
}

/// A part of a whole in percent.
pub(crate) fn share(part: u64, whole: u64) -> String {
    let (part, whole) = (u128::from(part), u128::from(whole.max(1)));
    match (part * 100 + whole / 2) / whole {
        0 if part > 0 => "<1 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

/// `1 token`, `2 tokens`.
pub(crate) fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(number))
}

/// The kinds of tokens that there are, most of them first.
pub(crate) fn kinds(by_kind: &ByKind) -> Vec<(&'static str, u64)> {
    let ByKind { system, tools, history, tool_results, user, media, overhead } = *by_kind;
    let mut named = vec![
        ("system", system),
        ("tools", tools),
        ("history", history),
        ("tool results", tool_results),
        ("user", user),
        ("media", media),
        ("overhead", overhead),
    ];
    named.retain(|(_, tokens)| *tokens > 0);
    named.sort_by_key(|(_, tokens)| std::cmp::Reverse(*tokens));
    named
}

/// A text in lines of so many characters; longer words stay whole.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_shares_rounded() {
        let numbers = [0, 12, 123, 1_234, 123_456, 1_234_567];
        let shown = ["0", "12", "123", "1,234", "123,456", "1,234,567"];
        assert_eq!(numbers.map(grouped), shown);
        assert_eq!([share(0, 0), share(1, 3), share(1, 300)], ["0 %", "33 %", "<1 %"]);
        assert_eq!([plural(1, "token"), plural(2_000, "token")], ["1 token", "2,000 tokens"]);
    }
}
