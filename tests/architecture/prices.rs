//! What a price in source looks like.

use crate::syntax::{Kind, Token, starts_with, tokens, without_tests};

/// Types that hold an amount.
const AMOUNTS: &[&str] = &["Usd", "Rate", "TieredRate"];
/// What the price of a million tokens is called.
const RATES: &[&str] = &["mtok", "per_million"];
/// The million of that name, which is no price.
const UNIT: &str = "1_000_000";

/// The lines with a price, and the token with which it begins.
pub(crate) fn find(code: &[Token<'_>]) -> Vec<(usize, String)> {
    let looks = [is_dollars, is_parsed, is_constructed, is_rate];
    (0..code.len())
        .map(|at| &code[at..])
        .filter(|rest| looks.iter().any(|look| look(rest)))
        .map(|rest| (rest[0].line, rest[0].text.to_owned()))
        .collect()
}

/// `"$3"`, `"2.50"`, `"2.50, above 200000: 5"`. A single decimal is left to versions and ratios.
fn is_dollars(rest: &[Token<'_>]) -> bool {
    let text = first_tier(rest[0].text);
    let cents = text.split_once('.').map_or("", |(_, cents)| cents);
    let is_money = text.starts_with('$') || (cents.len() >= 2 && !cents.contains('.'));
    rest[0].kind == Kind::Text && is_money && is_amount(&rest[0])
}

/// `"3".parse::<Usd>()`
fn is_parsed(rest: &[Token<'_>]) -> bool {
    is_amount(&rest[0])
        && AMOUNTS.iter().any(|name| starts_with(&rest[1..], &[".", "parse", ":", ":", "<", name]))
}

/// `Usd::from_pico(3)`, `Usd(-3)`; one is let through as the smallest step of money.
fn is_constructed(rest: &[Token<'_>]) -> bool {
    let name = if starts_with(&rest[1..], &[":", ":"]) { 4 } else { 1 };
    let sign = usize::from(rest.get(name + 1).is_some_and(|token| token.is("-")));
    AMOUNTS.iter().any(|amount| rest[0].is(amount))
        && rest.get(name).is_some_and(|token| token.is("("))
        && rest.get(name + 1 + sign).is_some_and(|token| is_amount(token) && token.text != "1")
}

/// `input_mtok: 3`, `per_million(3)`, `"input_mtok = 3"`
fn is_rate(rest: &[Token<'_>]) -> bool {
    let name = rest[0].text.to_lowercase();
    let Some((_, behind)) = RATES.iter().find_map(|rate| name.split_once(rate)) else {
        return false;
    };
    let value = behind.trim_start_matches([' ', '"', '\'', '=', ':']);
    let is_assigned = value.len() < behind.len() && value.starts_with(|c: char| c.is_ascii_digit());
    let ends = |token: &Token<'_>| token.kind == Kind::Mark && ";,{})]>".contains(token.text);
    let mut near = rest[1..].iter().take_while(|token| !ends(token));
    is_assigned || near.any(|token| is_amount(token) && token.text != UNIT)
}

/// A literal, bare or quoted, that is a number other than zero.
fn is_amount(token: &Token<'_>) -> bool {
    let text = first_tier(token.text).trim_start_matches('$');
    let end =
        text.find(|c: char| !c.is_ascii_digit() && !['.', '_'].contains(&c)).unwrap_or(text.len());
    let is_literal = match token.kind {
        Kind::Number => true,
        Kind::Text => end == text.len(),
        Kind::Word | Kind::Mark => false,
    };
    is_literal && text[..end].contains(|c: char| ('1'..='9').contains(&c))
}

/// What a rate is before its first threshold.
fn first_tier(text: &str) -> &str {
    text.split_once(',').map_or(text, |(first, _)| first)
}

#[test]
fn a_price_in_code_is_found() {
    for planted in [
        r#"let rate = "2.50";"#,
        r#"let rate = "$3";"#,
        r#"let rate = Rate::parse("2.5", bucket);"#,
        r#"let rates = ["2.50, above 200000: 5"];"#,
        r#"let rate: Usd = "3".parse::<Usd>()?;"#,
        "const RATE: Usd = Usd::from_pico(2_500_000);",
        "let refund = Usd(-2_500_000);",
        "Rates { input_mtok: 3 }",
        "const OUTPUT_MTOK: f64 = 15.0;",
        "card.per_million(Usd::from(3))",
        r##"const CARD: &str = r#"input_mtok = "3""#;"##,
        r#"let card = json!({"input_mtok": 3});"#,
    ] {
        assert!(!find(&tokens(planted)).is_empty(), "{planted}");
    }
}

#[test]
fn what_is_no_price_is_let_through() {
    for innocent in [
        "const ZERO: Usd = Usd::from_pico(0); let step = Usd::from_pico(1);",
        "const TOKENS_PER_MILLION: i128 = 1_000_000;",
        "const PICO_PER_USD: i128 = 1_000_000_000_000;",
        "fn per_million(self, tokens: u64) -> u64 { tokens * 3 }",
        r#"#[serde(rename = "input_mtok")] pub(crate) input: [u8; 3]"#,
        r#"let version = ("1.1", "0.1.0", "127.0.0.1"); let ratio = 2.50;"#,
        r#"query("SELECT * FROM entries WHERE amount > $1 AND day = $2")"#,
        "// input_mtok = 2.50\nfn documented() {}",
    ] {
        assert_eq!(find(&tokens(innocent)), [], "{innocent}");
    }
    let test = r#"#[cfg(test)] mod tests { const RATE: &str = "2.50"; }"#;
    assert_eq!(find(&without_tests(&tokens(test))), []);
}
