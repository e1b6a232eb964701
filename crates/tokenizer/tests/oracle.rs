//! Counts against an independent implementation, and on texts that are made to hurt.
#![allow(clippy::expect_used, reason = "a test may fail")]

use farthing_tokenizer::{Encoding, encoding};
use proptest::prelude::*;

fn oracle(name: Encoding) -> &'static tiktoken::CoreBpe {
    tiktoken::get_encoding(name.name()).expect("the oracle knows every encoding")
}

fn assert_agrees(text: &str) {
    for name in Encoding::ALL {
        let expected = oracle(name).count(text) as u64;
        assert_eq!(encoding(name).count(text), expected, "{} of {text:?}", name.name());
    }
}

#[test]
fn every_name_is_read_back() {
    for name in Encoding::ALL {
        assert_eq!(name.name().parse(), Ok(name));
    }
    let error = "r50k_base".parse::<Encoding>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown encoding `r50k_base`: use `o200k_base`, `o200k_harmony`, `cl100k_base` or `p50k_base`"
    );
}

#[test]
fn known_texts_count_as_the_publishers_own_tiktoken_counts() {
    let texts = [
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 8, 9),
        ("tiktoken is great!", 6, 6),
        ("", 0, 0),
    ];
    for (text, o200k, cl100k) in texts {
        assert_eq!(encoding(Encoding::O200kBase).count(text), o200k, "{text}");
        assert_eq!(encoding(Encoding::Cl100kBase).count(text), cl100k, "{text}");
    }
}

#[test]
fn spelled_special_tokens_are_ordinary_text() {
    for name in Encoding::ALL {
        assert!(encoding(name).count("<|endoftext|>") > 1);
    }
    assert_agrees("<|endoftext|><|im_start|>user<|endofprompt|>");
}

/// The published splitters use the tables of Unicode 16. U+A7CE became a letter in 17; until then it
/// takes the newline after it into its own word, so that "\n \n" is not left whole as it is after a
/// letter.
#[test]
fn letters_are_those_of_unicode_16() {
    for name in [Encoding::O200kBase, Encoding::Cl100kBase] {
        let count = |text| encoding(name).count(text);
        assert_eq!(count("é\n \n"), count("é") + 1);
        assert_eq!(count("\u{a7ce}\n \n"), count("\u{a7ce}") + 2);
    }
}

#[test]
fn varied_text_counts_as_the_oracle_counts() {
    let texts = [
        "The quick brown fox can't jump; it'LL wait -- 1234567 times (or 3.14).\r\n\r\n\tDone.  ",
        "fn main() {\n    let x = vec![1, 2];\n\n\n    println!(\"{x:?}\"); // ok\n}\n",
        "{\"a\":[1,2.5e-7,null],\"日本\":\"\\u00e9\\n\",\"path\":\"/usr/local/bin\"}",
        "価格は１２３円です。안녕하세요 세계! Привет, мир! שלום עולם مرحبا हिन्दी ไทย",
        "HTTPServerError camelCase SCREAMING_CASE ÉCOLE Ǆemal ʰaspirated",
        "e\u{301}tude nai\u{308}ve 👩‍👩‍👧‍👦🏳️‍🌈🇩🇪 ½ Ⅷ ٣٤٥ \u{a0}\u{3000}x\u{200b}",
        "  \n  \n\n x\n \t \n",
        "'s 'S 'ſ don'T we'Ve I'm'll",
    ];
    for text in texts {
        assert_agrees(text);
        assert_agrees(&text.repeat(50));
    }
}

/// Repeats `unit` to a megabyte.
fn megabyte(unit: &str) -> String {
    unit.repeat(1_000_000 / unit.len())
}

/// Bytes without structure, the same at every run.
fn noise(length: usize) -> impl Iterator<Item = usize> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..length).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % 0xffff) as usize
    })
}

#[test]
fn texts_made_to_hurt_are_counted() {
    let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mixed: Vec<char> = "漢字😀かな👩‍🚀글 \n".chars().collect();
    let mut texts: Vec<String> =
        [" ", "\n", "a", "=-", "-", "\t", "\u{301}", "'s", " \n"].map(megabyte).into();
    texts.push(noise(1_000_000).map(|n| char::from(base64[n % base64.len()])).collect());
    texts.push(noise(300_000).map(|n| mixed[n % mixed.len()]).collect());
    for text in texts {
        for name in Encoding::ALL {
            let tokens = encoding(name).count(&text);
            assert!(tokens > 0 && tokens <= text.len() as u64);
        }
    }
}

#[test]
fn long_words_count_as_the_oracle_counts() {
    for unit in [" ", "\n", "a", "=-", "-", "=", "\t", "漢", "😀", "Aʰ", "e\u{301}"] {
        for repeats in [63, 64, 65, 129, 1000] {
            let run = unit.repeat(repeats);
            assert_agrees(&run);
            assert_agrees(&format!("x.{run}.x"));
        }
    }
}

proptest! {
    // Both sides read one set of Unicode tables, so newer code points need no exception.
    #[test]
    fn any_text_counts_as_the_oracle_counts(text in any::<String>()) {
        assert_agrees(&text);
    }

    #[test]
    fn any_mix_of_splitter_classes_counts_as_the_oracle_counts(
        text in "[aZ '’ſsrveltdm\u{301}ʰǅא漢0٣½\\.;/=😀\u{a0}\u{3000}\u{200d}\t\r\n]{0,80}",
    ) {
        assert_agrees(&text);
    }
}
