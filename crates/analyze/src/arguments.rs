//! What the arguments and results of tools tell, whatever program logs them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The file that a tool's arguments, a JSON object, name.
pub(crate) fn file(arguments: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Arguments<'a> {
        #[serde(borrow, default)]
        file_path: Option<Cow<'a, str>>,
        #[serde(borrow, default)]
        notebook_path: Option<Cow<'a, str>>,
        #[serde(borrow, default)]
        absolute_path: Option<Cow<'a, str>>,
        #[serde(borrow, default)]
        path: Option<Cow<'a, str>>,
    }
    let Arguments { file_path, notebook_path, absolute_path, path } =
        serde_json::from_str(arguments).ok()?;
    file_path.or(notebook_path).or(absolute_path).or(path).map(Cow::into_owned)
}

/// The length of a result's text, which is a string or blocks; images are no text.
pub(crate) fn text_bytes(content: &RawValue) -> u64 {
    #[derive(Deserialize)]
    struct Block<'b> {
        #[serde(borrow, default)]
        text: Option<&'b RawValue>,
    }
    let raw = content.get();
    if !raw.starts_with('[') {
        return raw.len() as u64;
    }
    let blocks: Vec<Block<'_>> = serde_json::from_str(raw).unwrap_or_default();
    blocks.iter().filter_map(|block| block.text).map(|text| text.get().len() as u64).sum()
}
