use farthing_tokenizer::{Encoding, encoding};
use proptest::prelude::*;

use super::*;

fn count(text: &str) -> u64 {
    encoding(Encoding::O200kBase).count(text)
}

fn concise(text: &str) -> String {
    shorten(text, &Options::default(), &count).text
}

#[test]
fn the_example_of_the_specification_reaches_a_fifth() {
    let text = "Please could you kindly help me to understand what the current weather conditions \
                are like in order to make appropriate clothing decisions for today's activities \
                and events that I have planned.";
    let prose = shorten(text, &Options::default(), &count);
    assert_eq!(
        prose.text,
        "Help me understand what the current weather conditions are like to make appropriate \
         clothing decisions for today's activities and events I have planned."
    );
    assert!(prose.target_reached && prose.percent >= 20, "{prose:?}");
    assert_eq!(prose.applied, [Cut::Opener, Cut::Courtesy, Cut::Wordy]);
}

#[test]
fn prose_stays_prose() {
    for (text, expected) in [
        ("Hello! Could you explain the error? Thanks!", "Explain the error."),
        ("Do it, please.", "Do it."),
        ("It is, of course, the best of them.", "It is the best of them."),
        ("Due to the fact that it rains, I stay.", "Because it rains, I stay."),
        ("I want you to list the files and please sort them.", "List the files and sort them."),
        ("Please, tell me the name of the file.", "Tell me the name of the file."),
        ("That is a really old file.", "That is a really old file."),
        ("That is a really long file.", "That is a long file."),
        (
            "Bitte erkläre mir, was das ist, aufgrund der Tatsache, dass ich es brauche.",
            "Erkläre mir, was das ist, weil ich es brauche.",
        ),
        (
            "Pourriez-vous expliquer la raison du message afin de le corriger ?",
            "Expliquer la raison du message pour le corriger.",
        ),
        ("Bonjour ! Voici le texte. Merci beaucoup pour votre aide !", "Voici le texte."),
        (
            "Hola, ¿podrías por favor explicar el error que está en la salida?",
            "Explicar el error que está en la salida.",
        ),
        (
            "¿Podrías explicar el error que está en la salida?",
            "Explicar el error que está en la salida.",
        ),
    ] {
        assert_eq!(concise(text), expected);
    }
}

#[test]
fn what_is_kept_is_kept() {
    for text in [
        "You must not really do it.",
        "It is not very good and the plan is only really for Anna.",
        "She wants to please the customer.",
        "Write \"please could you\" and `in order to` to the file.",
        "Could you not do that to the file?",
        "Thank you for the report on the weather.",
        "The function Please is in the file.",
        "Send {please} to the host and <in order to> too.",
    ] {
        assert_eq!(concise(text), text);
    }
}

#[test]
fn white_space_and_duplicate_sentences_go_at_every_level() {
    let options = Options { level: Level::Lossless, ..Options::default() };
    let text = "The file is  too long.  \n\n\n\nThe file is too long.  Please cut the file \
                in two. The file is too long.\n    code  stays\n";
    let prose = shorten(text, &options, &count);
    assert_eq!(
        prose.text,
        "The file is too long.\n\nPlease cut the file in two.\n    code stays\n"
    );
    assert_eq!(prose.applied, [Cut::WhiteSpace, Cut::DuplicateSentence]);
}

#[test]
fn sentences_go_that_have_little_to_do_with_the_question() {
    let text = "The parser reads the file. The garden is full of flowers today. The parser must \
                not skip a line. Birds sing in the trees all day long. An error in the parser \
                stops the reading of the file. We went for a walk by the river.";
    let options = Options {
        level: Level::Extractive,
        target_percent: 30,
        question: Some("Why does the parser stop?"),
    };
    let prose = shorten(text, &options, &count);
    assert!(prose.target_reached, "{prose:?}");
    assert!(prose.text.starts_with("The parser reads the file."));
    assert!(prose.text.contains("The parser must not skip a line."));
    assert!(prose.text.contains("An error in the parser stops"));
    assert!(!prose.text.contains("river"));
}

#[test]
fn a_target_out_of_bounds_is_brought_within() {
    let reached = |target_percent| {
        let options = Options { target_percent, ..Options::default() };
        shorten("Please list the names of the files.", &options, &count).target_reached
    };
    assert!(reached(0));
    assert!(!reached(4_000_000_000));
}

#[test]
fn long_and_odd_texts_take_no_time() {
    for piece in
        ["please ", "`", "\"", "in order to ", "a. ", "''", "<a", "$", "- ", "„", "\n", "{"]
    {
        let text = piece.repeat(20_000);
        let prose = shorten(&text, &Options::default(), &|text| text.len() as u64);
        assert!(prose.tokens_after <= prose.tokens_before);
    }
}

fn text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("please".to_owned()),
        Just("Please".to_owned()),
        Just("could you".to_owned()),
        Just("in order to".to_owned()),
        Just("of course".to_owned()),
        Just("not".to_owned()),
        Just("very".to_owned()),
        Just("the file is here".to_owned()),
        Just("Thank you".to_owned()),
        Just("bitte".to_owned()),
        Just("der".to_owned()),
        Just("s'il vous plaît".to_owned()),
        Just("por favor".to_owned()),
        Just("¿".to_owned()),
        Just("`a  b`".to_owned()),
        Just("\"q  please\"".to_owned()),
        Just("{x}".to_owned()),
        Just("https://a.b/c".to_owned()),
        Just("3.14".to_owned()),
        Just("Anna".to_owned()),
        Just("must".to_owned()),
        Just("ẞß İi ﬁ".to_owned()),
        Just("e\u{301}\u{200b}".to_owned()),
        "\\PC{0,6}",
    ];
    let gaps = prop_oneof![
        4 => Just(" "), 1 => Just(", "), 1 => Just(". "), 1 => Just("? "), 1 => Just("\n"),
        1 => Just("  "), 1 => Just(""), 1 => Just("! "), 1 => Just(" - "), 1 => Just("\n\n\n"),
    ];
    prop::collection::vec((pieces, gaps), 0..24).prop_map(|parts| {
        parts.into_iter().flat_map(|(piece, gap)| [piece, gap.to_owned()]).collect()
    })
}

proptest! {
    #[test]
    fn it_never_grows_and_is_done_the_first_time(text in text()) {
        let prose = shorten(&text, &Options::default(), &count);
        prop_assert!(prose.tokens_after <= prose.tokens_before);
        prop_assert_eq!(prose.tokens_after, count(&prose.text));
        prop_assert_eq!(concise(&prose.text), prose.text);
    }

    #[test]
    fn protected_content_survives(text in text(), extractive in any::<bool>()) {
        let level = if extractive { Level::Extractive } else { Level::Concise };
        let options = Options { level, target_percent: 50, question: Some("the file") };
        let prose = shorten(&text, &options, &count);
        for span in protect::spans(&text) {
            prop_assert!(prose.text.contains(&text[span.clone()]), "{:?} in {:?}", &text[span], prose.text);
        }
        for word in words::words(&text) {
            let spelled = &text[word.span.clone()];
            if spelled.contains(char::is_numeric) || spelled == "Anna" {
                prop_assert!(prose.text.contains(spelled), "{spelled:?} in {:?}", prose.text);
            }
            if phrases::is_kept(&word.lower) {
                let lower = prose.text.to_lowercase();
                prop_assert!(lower.contains(&word.lower), "{spelled:?} in {:?}", prose.text);
            }
        }
    }
}
