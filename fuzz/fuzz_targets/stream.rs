//! Any bytes as a stream, in pieces of any size: what passes does not depend on the pieces, and
//! without stripping it is what came.
#![no_main]

use bytes::Bytes;
use farthing_wire::Dialect;
use libfuzzer_sys::fuzz_target;

fn passed(dialect: Dialect, strip: bool, stream: &[u8], piece: usize) -> Vec<u8> {
    let mut reader = dialect.stream_reader(strip);
    let mut seen = Vec::new();
    for chunk in stream.chunks(piece) {
        reader.push(Bytes::copy_from_slice(chunk), &mut |bytes| seen.extend_from_slice(&bytes));
    }
    reader.finish(&mut |bytes| seen.extend_from_slice(&bytes));
    let _ = (reader.usage(), reader.text(), reader.finished());
    seen
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (choice, piece, stream) = input;
    let dialect = Dialect::ALL[usize::from(choice) % Dialect::ALL.len()];
    let piece = usize::from(piece).max(1);
    assert_eq!(passed(dialect, false, stream, piece), stream);
    assert_eq!(passed(dialect, true, stream, piece), passed(dialect, true, stream, usize::MAX));
});
