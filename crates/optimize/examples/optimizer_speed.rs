//! How long optimizing a request of 200,000 tokens takes: all of it for the first time, and one new
//! message with the rest seen before.
//!
//!     cargo run --release -p farthing-optimize --example optimizer_speed

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures and prints")]

use std::error::Error;
use std::time::{Duration, Instant};

use farthing_core::prompt::Prompt;
use farthing_optimize::{
    Caching, Habits, Mode, Observations, Optimizer, Situation, Syntax, Thread,
};
use farthing_tokens::Counter;
use farthing_wire::Dialect;
use serde_json::{Value, json};

const MODEL: &str = "claude-sonnet-4-5";
const TOKENS: u64 = 200_000;
const NEW_MESSAGES: usize = 200;
const MEMORY_BYTES: usize = 256 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let counter = Counter::embedded()?;
    let mut messages = vec![json!({"role": "user", "content": "Find out why it fails."})];
    let mut turn = 0;
    while counter.count(MODEL, &prompt(&messages)?).by_kind.total() < TOKENS {
        (0..20).for_each(|_| messages.extend(next(&mut turn)));
    }

    let whole = prompt(&messages)?;
    let cold: Vec<Duration> =
        (0..20).map(|_| timed(&Optimizer::new(counter.clone(), MEMORY_BYTES), &whole)).collect();
    report("all of it for the first time", cold);

    let mut warm = Vec::with_capacity(NEW_MESSAGES);
    for _ in 0..NEW_MESSAGES {
        let optimizer = Optimizer::new(counter.clone(), MEMORY_BYTES);
        timed(&optimizer, &whole);
        let longer = [messages.as_slice(), &next(&mut turn)].concat();
        warm.push(timed(&optimizer, &prompt(&longer)?));
    }
    report("one new message", warm);
    Ok(())
}

/// A call and its result, as a coding agent has them.
fn next(turn: &mut u32) -> [Value; 2] {
    *turn += 1;
    let n = *turn;
    let result = match n % 4 {
        0 => (1..80)
            .map(|line| format!("{line:>6}\tlet value_{} = compute({n}, {line});\n", line * n % 97))
            .collect(),
        1 => {
            let row = |id: u32| json!({"id": id * n, "name": format!("row {id}"), "open": id.is_multiple_of(3)});
            (0..40).map(row).collect::<Value>().to_string()
        }
        2 => (0..60)
            .map(|line| {
                format!("src/module_{}/file_{line}.rs:{}: warning: unused\n", n % 9, line * 7)
            })
            .collect(),
        _ => format!("The test {n} failed because it expected {n} and found nothing. ").repeat(40),
    };
    let id = format!("call_{n}");
    let function = json!({"name": "run", "arguments": format!("{{\"step\": {n}}}")});
    [
        json!({"role": "assistant", "content": "I look at the next one.",
            "tool_calls": [{"id": id, "type": "function", "function": function}]}),
        json!({"role": "tool", "tool_call_id": id, "content": result}),
    ]
}

fn prompt(messages: &[Value]) -> Result<Prompt, Box<dyn Error>> {
    let body = json!({"model": MODEL, "messages": messages}).to_string();
    Ok(Dialect::OpenAiChat.parse(body.into())?.prompt)
}

fn timed(optimizer: &Optimizer, prompt: &Prompt) -> Duration {
    let thread = Thread::default();
    let situation = Situation {
        mode: Mode::Safe,
        owner: "tenant/user",
        model: MODEL,
        tokens: TOKENS,
        caching: &Caching::NONE,
        card: None,
        syntax: Syntax::None,
        observations: Observations::Tool,
        thread: &thread,
        habits: Habits::default(),
        kept_warm: false,
        now: None,
    };
    let begun = Instant::now();
    let optimized = optimizer.optimize(prompt, &situation);
    let body = optimized.apply(&prompt.body);
    let time = begun.elapsed();
    assert!(body.len() < prompt.body.len());
    time
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100).saturating_sub(1)];
    println!("{what:<32} p50 {:>9.3?}   p99 {:>9.3?}", at(50), at(99));
}
