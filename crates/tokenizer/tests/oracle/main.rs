//! Counts against independent implementations, and on texts that are made to hurt.
#![allow(clippy::expect_used, reason = "a test may fail")]

mod publisher;
mod texts;

use farthing_tokenizer::{Encoding, encoding};
use proptest::prelude::*;

use texts::{cruel, drawn, of_this_machine};

fn oracle(name: Encoding) -> &'static tiktoken::CoreBpe {
    tiktoken::get_encoding(name.name()).expect("the oracle knows every encoding")
}

/// Two oracles: one that splits by hand, as we do, and one that splits by regular expressions.
fn assert_agrees(text: &str) {
    for name in Encoding::ALL {
        let count = encoding(name).count(text);
        assert_eq!(count, oracle(name).count(text) as u64, "{} of {text:?}", name.name());
        let by_expressions = match name {
            Encoding::O200kBase => bpe_openai::o200k_base(),
            Encoding::Cl100kBase => bpe_openai::cl100k_base(),
            _ => continue,
        };
        assert_eq!(count, by_expressions.count(text) as u64, "{} of {text:?}", name.name());
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
fn known_texts_count_as_published() {
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
fn varied_text_counts_as_the_oracles_count() {
    let texts = [
        "The quick brown fox can't jump; it'LL wait -- 1234567 times (or 3.14).\r\n\r\n\tDone.  ",
        "fn main() {\n    let x = vec![1, 2];\n\n\n    println!(\"{x:?}\"); // ok\n}\n",
        "HTTPServerError camelCase SCREAMING_CASE ÉCOLE Ǆemal ʰaspirated",
        "e\u{301}tude nai\u{308}ve 👩‍👩‍👧‍👦🏳️‍🌈🇩🇪 ½ Ⅷ ٣٤٥ \u{a0}\u{3000}x\u{200b}",
        "  \n  \n\n x\n \t \n",
        "'s 'S 'ſ don'T we'Ve I'm'll \u{345}x \u{301}'s \u{301}ABC \u{301}. ",
    ];
    for text in texts.into_iter().chain(include_str!("../data/languages.txt").lines()) {
        assert_agrees(text);
        assert_agrees(&text.repeat(50));
    }
}

#[test]
fn sources_and_documentation_count_as_the_oracles_count() {
    let texts = of_this_machine(2_000_000);
    if texts.is_empty() {
        println!("skipped: cargo unpacked no packages on this machine");
    }
    texts.iter().for_each(|text| assert_agrees(text));
}

#[test]
fn a_megabyte_made_to_hurt_is_counted() {
    for text in cruel(1_000_000) {
        for name in Encoding::ALL {
            let tokens = encoding(name).count(&text);
            assert!(tokens > 0 && tokens <= text.len() as u64);
        }
    }
}

#[test]
fn texts_made_to_hurt_count_as_the_oracles_count() {
    cruel(4_000).iter().for_each(|text| assert_agrees(text));
}

/// A block of the splitter is 64 bytes, a window of the merges 128, a short piece 15.
#[test]
fn runs_across_borders_within_count_as_the_oracles_count() {
    let units = ["a", " ", "\n", "-", "7", "Ab", " the", "漢", "é", "\u{301}", "'", "Aʰ", "😀"];
    for unit in units {
        for length in (1..20).chain(58..70).chain(126..131).chain(254..258) {
            let run = unit.repeat(length);
            for text in [format!("{run}é"), format!("{run} x"), format!("x\n{run}'s\r\n/ y")] {
                assert_agrees(&text);
            }
        }
    }
}

#[test]
fn what_was_counted_before_does_not_matter() {
    let texts: Vec<String> = (0..40).map(|third| drawn("ab c", 3 * third)).collect();
    let count = |text: &String| encoding(Encoding::O200kBase).count(text);
    let first: Vec<u64> = texts.iter().map(count).collect();
    encoding(Encoding::O200kBase).count(&drawn("abcdefghijklmnop qrstuvwxyz", 2_000_000));
    assert_eq!(texts.iter().map(count).collect::<Vec<_>>(), first);
}

#[test]
fn threads_count_side_by_side() {
    let text = drawn("The quick brown fox, 12 \n", 50_000);
    let expected = oracle(Encoding::O200kBase).count(&text) as u64;
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| assert_eq!(encoding(Encoding::O200kBase).count(&text), expected));
        }
    });
}

proptest! {
    // All sides read one version's Unicode tables, so newer code points need no exception.
    #[test]
    fn any_text_counts_as_the_oracles_count(text in any::<String>()) {
        assert_agrees(&text);
    }

    #[test]
    fn any_categories_count_as_the_oracles_count(
        text in r"(\p{Lu}|\p{Ll}|\p{Lt}|\p{Lm}|\p{Lo}|\p{M}|\p{N}|\p{P}|\p{S}|\p{Z}|\p{C}){0,60}",
    ) {
        assert_agrees(&text);
    }

    #[test]
    fn any_mix_of_splitter_classes_counts_as_the_oracles_count(
        text in "[aZ '’ſsrveltdm\u{301}\u{345}ʰǅא漢0٣½\\.;/=😀\u{a0}\u{3000}\u{200d}\t\r\n]{0,80}",
    ) {
        assert_agrees(&text);
    }

    #[test]
    fn any_source_counts_as_the_oracles_count(
        text in "( ?[A-Z]{0,3}[a-z]{0,9}[0-9]{0,5}| {1,9}|[\r\n\t]{1,3}|[-/{}()\"';:.]{1,4}|é|\u{301}|漢){0,60}",
    ) {
        assert_agrees(&text);
    }
}
