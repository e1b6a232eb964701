//! Any bytes as a request: optimized, it is still one, has no more tokens, and comes back as it was.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use farthing_optimize::edit::{undone, undos};
use farthing_optimize::{
    Caching, Habits, Mode, Observations, Optimizer, Situation, Syntax, Thread,
};
use farthing_tokens::Counter;
use farthing_wire::Dialect;
use libfuzzer_sys::fuzz_target;

static COUNTER: LazyLock<Counter> = LazyLock::new(|| Counter::embedded().unwrap());

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (choice, mode, body) = input;
    let dialect = Dialect::ALL[usize::from(choice) % Dialect::ALL.len()];
    // Where Gemini's have their model; to the others it is any address.
    let path = "/v1beta/models/m:streamGenerateContent";
    let Ok(request) = dialect.parse_at(path, Bytes::copy_from_slice(body)) else { return };
    let modes = [Mode::Safe, Mode::Reversible, Mode::Aggressive];
    let thread = Thread::default();
    let situation = Situation {
        mode: modes[usize::from(mode) % modes.len()],
        owner: "owner",
        model: request.model.as_str(),
        tokens: COUNTER.count(request.model.as_str(), &request.prompt).by_kind.total(),
        caching: &Caching::NONE,
        card: None,
        syntax: Syntax::None,
        observations: Observations::UserAfterFirst,
        thread: &thread,
        habits: Habits::default(),
        kept_warm: false,
        now: None,
    };
    let optimizer = Optimizer::new(COUNTER.clone(), 0);
    let optimized = optimizer.optimize(&request.prompt, &situation);
    let sent = optimized.apply(&request.prompt.body);
    let receipt = &optimized.receipt;
    assert!(receipt.tokens_after <= receipt.tokens_before);
    assert!(dialect.parse_at(path, sent.clone()).is_ok());
    let undo = undos(&request.prompt.body, &optimized.edits);
    assert_eq!(undone(&sent, undo).as_ref(), Some(&request.prompt.body));
});
