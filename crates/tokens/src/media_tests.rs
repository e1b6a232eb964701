use super::*;

const TILES: Image =
    Image { typical: 765, most: 1_445, by_size: Some(BySize::Tiles { base: 85, each: 170 }) };

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    file.extend(width.to_be_bytes());
    file.extend(height.to_be_bytes());
    file
}

/// Base64 by the definition, as an oracle.
fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for place in 0..4 {
            let sextet = usize::try_from((bits >> (18 - 6 * place)) & 63).unwrap();
            text.push(if place <= three.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    text
}

fn part(file: &[u8]) -> String {
    format!(r#"{{"image_url":{{"url":"data:image/png;base64,{}"}}}}"#, encode(file))
}

#[test]
fn the_head_of_a_file_tells_its_size() {
    let expected = Some(Size { width: 640, height: 480 });
    let mut jpeg = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc4, 0, 3, 0, 0xff, 0xff];
    jpeg.extend([0xc0, 0, 17, 8]);
    jpeg.extend(480_u16.to_be_bytes());
    jpeg.extend(640_u16.to_be_bytes());
    let mut gif = b"GIF89a".to_vec();
    gif.extend([640_u16.to_le_bytes(), 480_u16.to_le_bytes()].concat());
    let webp = |kind: &[u8], rest: &[u8]| [b"RIFF\0\0\0\0WEBP", kind, rest].concat();
    let lossy = webp(b"VP8 ", &[[0; 10].as_slice(), &[0x80, 2, 0xe0, 1]].concat());
    let extended = webp(b"VP8X", &[[0; 8].as_slice(), &[0x7f, 2, 0, 0xdf, 1, 0]].concat());
    let bits: u32 = 639 | (479 << 14);
    let lossless = webp(b"VP8L", &[&[0, 0, 0, 0, 0x2f], bits.to_le_bytes().as_slice()].concat());
    for file in [png(640, 480), jpeg, gif, lossy, extended, lossless] {
        assert_eq!(size(&file), expected, "{:?}", file.get(..16));
        for length in 0..file.len() {
            assert!(size(&file[..length]).is_none_or(|size| Some(size) == expected), "{length}");
        }
        assert_eq!(size(&decode(&encode(&file), HEAD_CHARS)), expected);
    }
    assert_eq!(size(b"%PDF-1.4 is none of these formats"), None);
}

#[test]
fn images_cost_their_tiles_patches_or_pixels() {
    let tokens = |by_size, width, height| {
        let rule = Image { most: u32::MAX, by_size: Some(by_size), ..TILES };
        tokens(&rule, &part(&png(width, height)))
    };
    let tiles = BySize::Tiles { base: 85, each: 170 };
    assert_eq!(tokens(tiles, 1_024, 1_024), (85 + 4 * 170, true));
    assert_eq!(tokens(tiles, 2_048, 4_096), (85 + 6 * 170, true));
    assert_eq!(tokens(tiles, 100, 100), (85 + 170, true));
    let patches = BySize::Patches { most: 1_536, hundredths: 162 };
    assert_eq!(tokens(patches, 1_024, 1_024), (1_659, true));
    assert_eq!(tokens(patches, 9_000, 9_000), (2_489, true));
    let pixels = BySize::Pixels { per_token: 750, side: 1_568, base: 0 };
    assert_eq!(tokens(pixels, 1_000, 1_000), (1_334, true));
    assert_eq!(tokens(pixels, u32::MAX, 1), (3, true));
}

#[test]
fn an_image_whose_size_does_not_show_is_guessed() {
    let low = r#"{"image_url":{"url":"https://example.com","detail":"low"}}"#;
    assert_eq!(tokens(&TILES, low), (85, true));
    for part in ["", r#"{"url":"https://example.com/a.png"}"#, "base64,", r#""data" : 7"#] {
        assert_eq!(tokens(&TILES, part), (765, false), "{part}");
    }
    let anthropic = format!(r#"{{"source":{{"data": "{}"}}}}"#, encode(&png(100, 100)));
    assert_eq!(tokens(&TILES, &anthropic), (85 + 170, true));
}

#[test]
fn a_large_image_costs_no_more_than_its_head() {
    let file = [png(2_048, 4_096), vec![0; 300_000]].concat();
    assert!(decode(&encode(&file), HEAD_CHARS).len() <= HEAD_CHARS / 4 * 3);
    assert_eq!(tokens(&TILES, &part(&file)).0, 85 + 6 * 170);
}
