//! Files in a request: what sort they are, their text where they are text, and their pages.

use std::borrow::Cow;

use crate::media::{base64, decode};

/// Members that say what sort a file is.
const TYPES: [&str; 3] = ["\"mimeType\"", "\"mime_type\"", "\"media_type\""];
/// Types of text that do not begin with `text/`.
const TEXTS: [&str; 6] = [
    "application/json",
    "application/javascript",
    "application/toml",
    "application/x-yaml",
    "application/xml",
    "application/yaml",
];
/// Characters of base64 in which pages are looked for.
const PAGES_CHARS: usize = 16 * 1024 * 1024;

/// The media type of the file in a part, where it says one.
pub(crate) fn media_type(part: &str) -> Option<&str> {
    let of_address = || {
        let (_, rest) = part.split_once("\"data:")?;
        rest.split([';', ',', '"']).next()
    };
    let of_member = |name: &&str| {
        let (_, rest) = part.split_once(*name)?;
        let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        value.split(['"', ';']).next()
    };
    TYPES.iter().find_map(of_member).or_else(of_address).filter(|kind| !kind.is_empty())
}

/// The text of a file that is sent along, if it is one of text.
pub(crate) fn text(part: &str) -> Option<String> {
    let kind = media_type(part)?;
    if !kind.starts_with("text/") && !TEXTS.contains(&kind) {
        return None;
    }
    let file = decode(base64(part)?, usize::MAX);
    Some(match String::from_utf8_lossy(&file) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    })
}

/// How many pages the PDF in a part has: those that its objects name, which compressed ones do not;
/// at least one.
pub(crate) fn pages(part: &str) -> u64 {
    let Some(data) = base64(part) else { return 1 };
    let file = decode(data, PAGES_CHARS);
    let mut pages = 0;
    let mut rest = file.as_slice();
    while let Some(at) = rest.windows(5).position(|window| window == b"/Type") {
        rest = rest.get(at + 5..).unwrap_or_default();
        let object = rest.trim_ascii_start();
        let is_page = object.starts_with(b"/Page") && object.get(5) != Some(&b's');
        pages += u64::from(is_page);
    }
    pages.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_what_sort_its_file_is() {
        for (part, kind) in [
            (r#"{"inlineData":{"data":"AA","mimeType":"text/plain"}}"#, Some("text/plain")),
            (r#"{"source":{"media_type" : "application/pdf"}}"#, Some("application/pdf")),
            (r#"{"file_data":"data:image/png;base64,AA"}"#, Some("image/png")),
            (r#"{"file_id":"x"}"#, None),
            (r#"{"mimeType":7}"#, None),
        ] {
            assert_eq!(media_type(part), kind, "{part}");
        }
    }

    #[test]
    fn a_file_of_text_is_read() {
        let part = r#"{"inlineData":{"data":"SGkg4pi6","mimeType":"text/csv; charset=utf-8"}}"#;
        assert_eq!(text(part).as_deref(), Some("Hi \u{263a}"));
        assert_eq!(text(r#"{"inlineData":{"data":"SGkg","mimeType":"image/png"}}"#), None);
        assert_eq!(text(r#"{"fileData":{"fileUri":"x","mimeType":"text/plain"}}"#), None);
    }

    #[test]
    fn the_pages_of_a_document_are_counted() {
        // "/Type /Pages /Type/Page /Type /Page"
        let data = "L1R5cGUgL1BhZ2VzIC9UeXBlL1BhZ2UgL1R5cGUgL1BhZ2U=";
        let part = format!(r#"{{"data":"{data}","media_type":"application/pdf"}}"#);
        assert_eq!(pages(&part), 2);
        assert_eq!(pages(r#"{"file_id":"x"}"#), 1);
    }
}
