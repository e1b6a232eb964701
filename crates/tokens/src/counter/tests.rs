use bytes::Bytes;
use farthing_core::anatomy::ByKind;
use farthing_core::prompt::{Demands, JsonStr, Message, Part, Role, Tool, ToolCall};
use farthing_tokenizer::Encoding;
use proptest::prelude::*;

use super::*;
use crate::target::Api;

const IMAGE: &str = r#"{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}"#;
const TOOL: &str = r#"{"type":"function","function":{"name":"get_time","description":"The time.",
    "parameters":{"type":"object","properties":{"zone":{"type":"string"}},"required":["zone"]}}}"#;

/// A prompt that grows; its body holds what its spans need and nothing else.
struct Draft {
    body: String,
    prompt: Prompt,
}

impl Draft {
    fn new() -> Self {
        Self { body: String::new(), prompt: Prompt::default() }
    }

    fn raw(&mut self, text: &str) -> std::ops::Range<usize> {
        let start = self.body.len();
        self.body.push_str(text);
        start..self.body.len()
    }

    fn literal(&mut self, text: &str) -> JsonStr {
        JsonStr(self.raw(&serde_json::to_string(text).unwrap()))
    }

    fn say(mut self, role: Role, text: &str) -> Self {
        let parts = vec![Part::Text(self.literal(text))];
        let message = Message { parts, ..Message::new(role, 0..0) };
        self.prompt.messages.push(message);
        self
    }

    /// Changes the latest message.
    fn with(mut self, change: impl FnOnce(&mut Self, &mut Message)) -> Self {
        let mut message = self.prompt.messages.pop().unwrap();
        change(&mut self, &mut message);
        self.prompt.messages.push(message);
        self
    }

    fn named(self, name: &str) -> Self {
        self.with(|draft, message| message.name = Some(draft.literal(name)))
    }

    fn showing(self, part: fn(std::ops::Range<usize>) -> Part) -> Self {
        self.with(|draft, message| message.parts.push(part(draft.raw(IMAGE))))
    }

    fn calling(self, name: &str, arguments: &str) -> Self {
        self.with(|draft, message| {
            let (name, arguments) = (draft.literal(name), draft.literal(arguments));
            message.tool_calls.push(ToolCall { id: None, name, arguments });
        })
    }

    fn offering(mut self, tool: &str) -> Self {
        let span = self.raw(tool);
        self.prompt.tools.push(Tool { span });
        self
    }

    fn count(mut self, model: &str) -> Anatomy {
        self.prompt.body = Bytes::from(self.body);
        Counter::embedded().unwrap().count(model, &self.prompt)
    }
}

/// What an independent implementation counts.
fn oracle(encoding: Encoding, text: &str) -> u64 {
    tiktoken::get_encoding(encoding.name()).unwrap().count(text) as u64
}

fn o200k(text: &str) -> u64 {
    oracle(Encoding::O200kBase, text)
}

#[test]
fn each_token_counts_for_one_kind() {
    let anatomy = Draft::new()
        .say(Role::System, "Answer in verse.")
        .say(Role::User, "What time is it?")
        .say(Role::Assistant, "Let me see.")
        .calling("get_time", r#"{"zone":"UTC"}"#)
        .say(Role::Tool, "12:00")
        .say(Role::User, "Also, who are you?")
        .say(Role::User, "Well?")
        .showing(Part::Image)
        .showing(Part::Other)
        .offering(TOOL)
        .count("gpt-4o");
    let kinds = anatomy.by_kind;
    assert_eq!(kinds.system, o200k("Answer in verse."));
    assert_eq!(kinds.user, o200k("Well?"));
    assert_eq!(kinds.tool_results, o200k("12:00"));
    let said = ["What time is it?", "Let me see.", "Also, who are you?"].map(o200k);
    let called = 2 * o200k("get_time") + o200k(r#"{"zone":"UTC"}"#);
    assert_eq!(kinds.history, said.iter().sum::<u64>() + called);
    let declared = "namespace functions {\n\n// The time.\ntype get_time = (_: {\nzone: string\
        }) => any;\n\n} // namespace functions";
    assert_eq!(kinds.tools, o200k(declared));
    assert_eq!(kinds.media, 765 + 1_000);
    assert_eq!(kinds.overhead, 3 + 6 * 4 + 5 + (9 - 4));
    assert_eq!(anatomy.method, Method::Estimated);
    assert!(anatomy.upper_bound >= kinds.total() + 1_445 - 765 + 100_000 - 1_000);
}

#[test]
fn text_of_known_families_is_exact() {
    let greeting =
        |model| Draft::new().say(Role::System, "Be brief.").say(Role::User, "Hi!").count(model);
    for (model, encoding, framing) in [
        ("gpt-4", Encoding::Cl100kBase, 3 + 2 * 4),
        ("gpt-4o-2024-08-06", Encoding::O200kBase, 3 + 2 * 4),
        ("gpt-5-mini", Encoding::O200kBase, 2 + 2 * 4),
    ] {
        let anatomy = greeting(model);
        let texts = oracle(encoding, "Be brief.") + oracle(encoding, "Hi!");
        assert_eq!(anatomy.by_kind.total(), texts + framing, "{model}");
        assert_eq!(anatomy.method, Method::Exact, "{model}");
        assert_eq!(anatomy.upper_bound, anatomy.by_kind.total(), "{model}");
    }
    assert_eq!(greeting("o3").method, Method::Estimated, "system messages are unproven there");
    assert_eq!(greeting("o1").method, Method::Estimated);
}

#[test]
fn names_cost_their_tokens_and_one() {
    let nameless = Draft::new().say(Role::User, "Hi!").count("gpt-4o").by_kind;
    let named = Draft::new().say(Role::User, "Hi!").named("example_user").count("gpt-4o");
    assert_eq!(named.by_kind.overhead, nameless.overhead + o200k("example_user") + 1);
    assert_eq!(named.method, Method::Exact);
    let unproven = Draft::new().say(Role::User, "Hi!").named("ann").count("gpt-5");
    assert_eq!(unproven.method, Method::Estimated);
}

#[test]
fn escapes_are_decoded_before_counting() {
    let text = "tab\t\"é\" \\ 漢字 \u{1f600}\n";
    let kinds = Draft::new().say(Role::User, text).count("gpt-4o").by_kind;
    assert_eq!(kinds.user, o200k(text));
}

#[test]
fn nothing_costs_the_priming() {
    let anatomy = Draft::new().count("gpt-4o");
    assert_eq!(anatomy.by_kind, ByKind { overhead: 3, ..ByKind::default() });
    let empty = Draft::new().say(Role::User, "").count("gpt-4o");
    assert_eq!((empty.by_kind.total(), empty.method), (7, Method::Exact));
}

#[test]
fn an_answered_person_is_history() {
    let kinds =
        Draft::new().say(Role::User, "Hi!").say(Role::Assistant, "Hello.").count("gpt-4o").by_kind;
    assert_eq!((kinds.user, kinds.history), (0, o200k("Hi!") + o200k("Hello.")));
}

#[test]
fn unknown_models_are_estimated_with_room_for_a_larger_count() {
    let anatomy = Draft::new().say(Role::User, "Hello there").count("nobodys-model");
    assert_eq!(anatomy.by_kind.user, o200k("Hello there"));
    assert_eq!(anatomy.method, Method::Estimated);
    assert!(anatomy.upper_bound >= 2 * anatomy.by_kind.total());
}

#[test]
fn calls_and_plain_functions_are_exact_and_formats_and_much_else_are_not() {
    let one = || Draft::new().say(Role::Assistant, "").calling("f", "{}");
    let (single, double) = (one().count("gpt-4o"), one().calling("f", "{}").count("gpt-4o"));
    let wrapped = r#"{"tool_uses":[{"recipient_name":"functions.f","parameters":{}},{"recipient_name":"functions.f","parameters":{}}]}"#;
    assert_eq!(double.by_kind.history, o200k(wrapped));
    assert_eq!(double.by_kind.overhead - single.by_kind.overhead, 12 - 5);
    assert_eq!((single.method, double.method), (Method::Exact, Method::Exact));
    let triple = one().calling("f", "{}").calling("f", "{}").count("gpt-4o");
    assert_eq!(triple.method, Method::Estimated);

    let offered = |tool: &str, model| Draft::new().say(Role::User, "").offering(tool).count(model);
    for model in ["gpt-4o", "gpt-5"] {
        assert_eq!(offered(TOOL, model).method, Method::Exact, "{model}");
        assert_eq!(offered(r#"{"type":"web_search"}"#, model).method, Method::Estimated);
        let nested = TOOL.replace(r#"{"type":"string"}"#, r#"{"enum":["a"]}"#);
        assert_eq!(offered(&nested, model).method, Method::Estimated);
    }

    let mut formatted = Draft::new().say(Role::User, "");
    let span = formatted.raw(
        r#"{"type":"json_schema","json_schema":{"name":"out","schema":{"type":"object",
            "additionalProperties":false,"properties":{"n":{"type":"integer"}},"required":["n"]}}}"#,
    );
    formatted.prompt.response_format = Some(span);
    let anatomy = formatted.count("gpt-4o");
    let shown = "out\n\n{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}";
    assert_eq!(anatomy.by_kind.tools, o200k(shown));
    assert_eq!(anatomy.method, Method::Estimated);
}

#[test]
fn one_api_shows_the_same_model_other_things() {
    let count = |target: Target| {
        let mut draft = Draft::new().say(Role::User, "Hi!").offering(TOOL);
        draft.prompt.body = Bytes::from(std::mem::take(&mut draft.body));
        Counter::embedded().unwrap().count(target, &draft.prompt).by_kind.total()
    };
    let (chat, responses) = (count("gpt-5".into()), count(("gpt-5", Some(Api::Responses)).into()));
    assert_eq!(chat - responses, 82);
}

#[test]
fn through_a_router_nothing_is_exact() {
    for model in ["openai/gpt-4o", "openai.gpt-5.5", "azure/gpt-4o"] {
        let anatomy = Draft::new().say(Role::User, "Hi!").count(model);
        assert_eq!(anatomy.method, Method::Estimated, "{model}");
    }
    let tuned = Draft::new().say(Role::User, "Hi!").count("ft:gpt-4o:me::1");
    assert_eq!(tuned.method, Method::Exact);
}

#[test]
fn what_only_the_provider_has_is_estimated_and_bound() {
    let mut draft = Draft::new().say(Role::User, "Hi!");
    draft.prompt.unseen = true;
    let anatomy = draft.count("gpt-4o");
    assert_eq!(anatomy.method, Method::Estimated);
    assert!(anatomy.upper_bound > 400_000);
}

#[test]
fn a_message_counts_the_same_from_memory() {
    let body = r#"[{"role":"user","content":"Hi!"},{"role":"user","content":"Hi!"}]"#;
    let message = |start: usize| {
        let text = start + r#"{"role":"user","content":"#.len();
        let parts = vec![Part::Text(JsonStr(text..text + 5))];
        Message { parts, ..Message::new(Role::User, start..text + 6) }
    };
    let prompt = |messages| Prompt {
        body: Bytes::from_static(body.as_bytes()),
        messages,
        ..Prompt::default()
    };
    let plain = Counter::embedded().unwrap();
    let mindful = plain.clone().with_memo([1; 4], 100);
    for messages in [vec![message(1)], vec![message(1), message(33)]] {
        let prompt = prompt(messages);
        for model in ["gpt-4o", "claude-opus-5", "gpt-4o", "gpt-5"] {
            let expected = plain.count(model, &prompt);
            assert!(expected.by_kind.user > 0);
            assert_eq!(mindful.count(model, &prompt), expected, "{model}");
        }
    }
}

#[test]
fn what_settled_calls_teach_corrects_estimates_and_nothing_exact() {
    let counter = Counter::embedded().unwrap().with_calibration(Calibration::default());
    let prompt = || {
        let mut draft = Draft::new().say(Role::User, &"It is noon. ".repeat(100));
        draft.prompt.body = Bytes::from(std::mem::take(&mut draft.body));
        draft.prompt
    };
    for model in ["claude-opus-5", "gpt-4o"] {
        let before = counter.count(model, &prompt());
        let reported = before.by_kind.total() * 12 / 10;
        for _ in 0..30 {
            let counted = counter.count(model, &prompt());
            counter.observe(model, &counted, reported);
        }
        let after = counter.count(model, &prompt());
        let expected = if model == "gpt-4o" { before.by_kind.total() } else { reported };
        assert!(after.by_kind.total().abs_diff(expected) <= 3, "{model} {after:?}");
        assert!(after.upper_bound >= before.upper_bound);
    }
}

#[test]
fn replies_are_exact_where_the_vocabulary_is_known() {
    let counter = Counter::embedded().unwrap();
    let text = "It is noon, mon capitaine.";
    let cl100k = oracle(Encoding::Cl100kBase, text);
    assert_eq!(counter.count_text("gpt-4", text), (cl100k, Method::Exact));
    assert_eq!(counter.count_text("o1", text), (o200k(text), Method::Exact));
    assert_eq!(counter.count_text("nobodys-model", text), (o200k(text), Method::Estimated));
}

#[test]
fn texts_in_an_unpublished_vocabulary_are_scaled_and_never_exact() {
    let text = "It is noon, mon capitaine. ".repeat(100);
    let said = o200k(&text);
    for (model, percent) in [("claude-sonnet-4-5", 105), ("claude-opus-5", 140)] {
        let anatomy = Draft::new().say(Role::User, &text).count(model);
        assert_eq!(anatomy.by_kind.user, (said * percent + 50) / 100, "{model}");
        assert_eq!(anatomy.method, Method::Estimated);
        assert!(anatomy.upper_bound > anatomy.by_kind.total());
        let reply = Counter::embedded().unwrap().count_text(model, &text);
        assert_eq!(reply, (anatomy.by_kind.user, Method::Estimated));
    }
}

#[test]
fn demands_cost_the_words_they_are_put_in() {
    let total = |thinking, tool_call, tool: Option<&str>| {
        let mut draft = Draft::new().say(Role::User, "Hi!");
        draft.prompt.demands = Demands { thinking, tool_call, ..Demands::default() };
        let draft = match tool {
            Some(tool) => draft.offering(tool),
            None => draft,
        };
        draft.count("claude-sonnet-4-5").by_kind.total()
    };
    let plain = total(false, false, None);
    assert_eq!(total(true, false, None), plain + 29);
    assert_eq!(total(false, true, None), plain, "there is no tool to call");
    let offered = total(false, false, Some(TOOL));
    assert!(offered > plain + 500, "any tool brings instructions");
    assert_eq!(total(false, true, Some(TOOL)), offered + 99);
}

#[test]
fn tools_that_are_searched_for_count_only_in_the_bound() {
    let deferred = TOOL.replacen("\"name\"", "\"defer_loading\":true,\"name\"", 1);
    let count = |tool: &str| Draft::new().say(Role::User, "").offering(tool).count("claude-opus-5");
    let (shown, hidden) = (count(TOOL), count(&deferred));
    assert!(shown.by_kind.tools > 0);
    assert_eq!(hidden.by_kind.tools, 0);
    assert_eq!(hidden.upper_bound, shown.upper_bound);
}

#[test]
fn what_a_provider_runs_itself_is_bound_by_what_it_may_bring_in() {
    let search = r#"{"type":"web_search_20250305","name":"web_search"}"#;
    let anatomy = Draft::new().say(Role::User, "").offering(search).count("claude-opus-4-6");
    assert_eq!(anatomy.by_kind.tools, 7_000);
    assert!(anatomy.upper_bound >= 500_000);
}

#[test]
fn only_thoughts_since_the_last_message_of_a_person_are_read_again() {
    let sealed = format!("\"{}\"", "s".repeat(1_198));
    let thinking = |draft: Draft| {
        draft.say(Role::Assistant, "").with(|draft, message| {
            message.parts.push(Part::Thought(draft.raw(&sealed)));
        })
    };
    let ask = || Draft::new().say(Role::User, "");
    let recent = thinking(ask()).say(Role::Tool, "").count("gemini-3-pro");
    let older = thinking(ask()).say(Role::User, "").count("gemini-3-pro");
    assert_eq!((recent.by_kind.history, older.by_kind.history), (210, 0));
    assert!(older.upper_bound >= recent.by_kind.total());
}

#[test]
fn a_hundred_thousand_messages_are_counted() {
    let mut draft = Draft::new();
    for _ in 0..100_000 {
        draft = draft.say(Role::User, "Hi!");
    }
    let kinds = draft.count("gpt-4o").by_kind;
    assert_eq!(kinds.user, o200k("Hi!"));
    assert_eq!(kinds.history, 99_999 * o200k("Hi!"));
    assert_eq!(kinds.overhead, 3 + 100_000 * 4);
}

#[test]
fn spans_that_do_not_fit_the_body_count_nothing() {
    let mut draft = Draft::new().say(Role::User, "Hi!").offering(TOOL);
    draft.body.clear();
    let kinds = draft.count("gpt-4o").by_kind;
    assert_eq!((kinds.user, kinds.total() > 0), (0, true));
}

proptest! {
    #[test]
    fn any_prompt_is_within_its_bound(
        texts in prop::collection::vec((0..4_u8, any::<String>()), 0..6),
        tools in prop::collection::vec(any::<String>(), 0..3),
        model in "gpt-4o|gpt-5|o3|claude-opus-5|claude-sonnet-4|gemini-2.5-pro|gemini-3|llama|",
    ) {
        let mut draft = Draft::new();
        for (role, text) in &texts {
            let role = [Role::System, Role::User, Role::Assistant, Role::Tool][usize::from(*role)];
            draft = draft.say(role, text);
        }
        for tool in &tools {
            draft = draft.offering(tool);
        }
        let anatomy = draft.count(&model);
        prop_assert!(anatomy.by_kind.total() <= anatomy.upper_bound);
    }
}
