//! Any bytes as a request: it is refused, or it is counted and goes out as it came.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use farthing_tokens::Counter;
use farthing_wire::Dialect;
use libfuzzer_sys::fuzz_target;

static COUNTER: LazyLock<Counter> = LazyLock::new(|| Counter::embedded().unwrap());

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, body) = input;
    let dialect = Dialect::ALL[usize::from(choice) % Dialect::ALL.len()];
    // Where Gemini's have their model; to the others it is any address.
    let path = "/v1beta/models/m:streamGenerateContent";
    let Ok(request) = dialect.parse_at(path, Bytes::copy_from_slice(body)) else { return };
    let anatomy = COUNTER.count(request.model.as_str(), &request.prompt);
    assert!(anatomy.upper_bound >= anatomy.by_kind.total());
    let outgoing = request.outgoing();
    assert!(outgoing.usage_added || outgoing.body == body);
    // What we send is what we would read again.
    assert!(dialect.parse_at(path, outgoing.body).is_ok());
});
