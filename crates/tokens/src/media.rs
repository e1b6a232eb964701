//! The size of an image, from the first bytes of its file; and what it costs.
//!
//! Work is bounded: of an image that is sent along, no more than its head is decoded. Formulas:
//! OpenAI's guide to images and vision; Anthropic's vision page (a token for 750 pixels).

use crate::family::{BySize, Image};

/// Characters of base64 that are decoded: headers of photographs hold previews and profiles.
const HEAD_CHARS: usize = 128 * 1024;

/// Side of the square that tiles of.
const TILE: u64 = 512;

/// Width and height, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// The tokens of the image in this part of a request, and whether its size was found.
pub(crate) fn tokens(rule: &Image, part: &str) -> (u64, bool) {
    let unknown = (u64::from(rule.typical), false);
    let Some(by_size) = rule.by_size else { return unknown };
    if let BySize::Tiles { base, .. } = by_size
        && part.contains("\"detail\"")
        && part.contains("\"low\"")
    {
        return (u64::from(base), true);
    }
    match base64(part).and_then(|data| size(&decode(data, HEAD_CHARS))) {
        Some(size) => (by_size.tokens(size).min(u64::from(rule.most)), true),
        None => unknown,
    }
}

// === impl BySize ===

impl BySize {
    fn tokens(self, Size { width, height }: Size) -> u64 {
        let (width, height) = (u64::from(width.max(1)), u64::from(height.max(1)));
        match self {
            Self::Tiles { base, each } => {
                let (width, height) = fit_longer(width, height, 2_048);
                let (width, height) = fit_shorter(width, height, 768);
                let tiles = width.div_ceil(TILE).saturating_mul(height.div_ceil(TILE));
                u64::from(base).saturating_add(tiles.saturating_mul(u64::from(each)))
            }
            Self::Patches { most, hundredths } => {
                let patches = width.div_ceil(32).saturating_mul(height.div_ceil(32));
                let patches = patches.min(u64::from(most));
                patches.saturating_mul(u64::from(hundredths)).div_ceil(100)
            }
            Self::Pixels { per_token, side, base } => {
                let (width, height) = fit_longer(width, height, u64::from(side));
                let pixels = width.saturating_mul(height);
                u64::from(base).saturating_add(pixels.div_ceil(u64::from(per_token.max(1))))
            }
        }
    }
}

/// Shrinks so that the longer side is at most `most`.
fn fit_longer(width: u64, height: u64, most: u64) -> (u64, u64) {
    shrink(width, height, width.max(height), most)
}

/// Shrinks so that the shorter side is at most `most`.
fn fit_shorter(width: u64, height: u64, most: u64) -> (u64, u64) {
    shrink(width, height, width.min(height), most)
}

fn shrink(width: u64, height: u64, side: u64, most: u64) -> (u64, u64) {
    if side <= most {
        return (width, height);
    }
    let fit = |length: u64| (length.saturating_mul(most) / side).max(1);
    (fit(width), fit(height))
}

/// The base64 in a part: behind `base64,` in an address, or what a `data` member holds.
pub(crate) fn base64(part: &str) -> Option<&str> {
    let behind = |mark: &str| part.split_once(mark).map(|(_, rest)| rest);
    let rest = behind("base64,").or_else(|| {
        let value = behind("\"data\"")?.trim_start().strip_prefix(':')?;
        value.trim_start().strip_prefix('"')
    })?;
    Some(rest.split('"').next().unwrap_or(rest))
}

/// The bytes that the first `chars` of base64 stand for, up to what is none. Both alphabets are read.
pub(crate) fn decode(text: &str, chars: usize) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len().min(chars) / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    // JSON may spell a slash with a backslash before it.
    let characters = text.bytes().take(chars).filter(|c| *c != b'\\');
    for sextet in characters.map_while(value) {
        bits = (bits << 6) | u32::from(sextet);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.extend((bits >> held).to_be_bytes().last());
        }
    }
    bytes
}

/// The size that the head of a PNG, GIF, WebP or JPEG file tells.
pub(crate) fn size(file: &[u8]) -> Option<Size> {
    if file.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(Size { width: big(file, 16, 4)?, height: big(file, 20, 4)? });
    }
    if file.starts_with(b"GIF8") {
        return Some(Size { width: little(file, 6, 2)?, height: little(file, 8, 2)? });
    }
    match (file.get(..4)?, file.get(8..16)) {
        (b"RIFF", Some(b"WEBPVP8X")) => {
            Some(Size { width: little(file, 24, 3)? + 1, height: little(file, 27, 3)? + 1 })
        }
        (b"RIFF", Some(b"WEBPVP8L")) => {
            let bits = little(file, 21, 4)?;
            Some(Size { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 })
        }
        (b"RIFF", Some(b"WEBPVP8 ")) => {
            let side = |at| little(file, at, 2).map(|side| side & 0x3fff);
            Some(Size { width: side(26)?, height: side(28)? })
        }
        ([0xff, 0xd8, ..], _) => jpeg(file),
        _ => None,
    }
}

/// Walks the segments of a JPEG file to the one that tells its size.
fn jpeg(file: &[u8]) -> Option<Size> {
    let mut at = 2;
    loop {
        let [0xff, marker] = *file.get(at..at + 2)? else { return None };
        match marker {
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some(Size { width: big(file, at + 7, 2)?, height: big(file, at + 5, 2)? });
            }
            _ => at += 2 + usize::try_from(big(file, at + 2, 2)?.max(2)).ok()?,
        }
    }
}

fn big(file: &[u8], at: usize, bytes: usize) -> Option<u32> {
    let bytes = file.get(at..at.checked_add(bytes)?)?;
    Some(bytes.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
}

fn little(file: &[u8], at: usize, bytes: usize) -> Option<u32> {
    let bytes = file.get(at..at.checked_add(bytes)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
}

#[cfg(test)]
#[path = "media_tests.rs"]
mod tests;
