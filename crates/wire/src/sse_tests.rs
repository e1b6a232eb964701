use proptest::prelude::*;

use super::*;

/// The pieces of a stream that arrives in chunks that end at `cuts`.
fn pieces(stream: &[u8], cuts: &[usize], frame_bytes_max: usize) -> Vec<Piece> {
    let mut frames = Frames::new(frame_bytes_max);
    let mut pieces = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([stream.len()]) {
        let chunk = Bytes::copy_from_slice(&stream[from..to]);
        frames.push(chunk, &mut |piece| pieces.push(piece));
        from = to;
    }
    frames.finish(&mut |piece| pieces.push(piece));
    pieces
}

fn whole(stream: &str) -> Vec<Piece> {
    pieces(stream.as_bytes(), &[], usize::MAX)
}

fn bytes(piece: &Piece) -> &[u8] {
    match piece {
        Piece::Frame(Frame(bytes)) | Piece::Oversized(bytes) => bytes,
    }
}

fn data(frame: &'static str) -> Option<(String, Option<usize>)> {
    let frame = Frame(Bytes::from_static(frame.as_bytes()));
    let data = frame.data()?;
    Some((String::from_utf8(data.bytes.into_owned()).unwrap(), data.start))
}

#[test]
fn an_empty_line_ends_a_frame_whatever_ends_lines() {
    for end in ["\n", "\r\n", "\r"] {
        let frames = ["data: a||", ": comment|||", "data: é|event: x||", "data: last"];
        let stream = frames.concat().replace('|', end);
        // An empty line of its own is a frame without a word.
        let expected = ["data: a||", ": comment||", "|", "data: é|event: x||", "data: last"];
        let expected: Vec<_> = expected.iter().map(|frame| frame.replace('|', end)).collect();
        for size in [1, 2, 3, 5, stream.len()] {
            let cuts: Vec<_> = (1..stream.len() / size).map(|n| n * size).collect();
            let found = pieces(stream.as_bytes(), &cuts, usize::MAX);
            let found: Vec<_> =
                found.iter().map(|piece| str::from_utf8(bytes(piece)).unwrap()).collect();
            assert_eq!(found, expected, "{end:?} in pieces of {size}");
        }
    }
}

#[test]
fn a_frame_within_a_chunk_is_not_copied() {
    let chunk = Bytes::from_static(b"data: a\n\ndata: b\n\n");
    let mut starts = Vec::new();
    Frames::new(64).push(chunk.clone(), &mut |piece| starts.push(bytes(&piece).as_ptr()));
    assert_eq!(starts, [chunk.as_ptr(), chunk[9..].as_ptr()]);
}

#[test]
fn a_frame_too_long_to_be_put_together_passes_in_parts_and_the_next_is_read() {
    let pieces = pieces(b"data: 0123456789\n\ndata: b\n\n", &[5, 12, 14, 20], 10);
    let oversized = |bytes: &'static [u8]| Piece::Oversized(Bytes::from_static(bytes));
    let frame = |bytes: &'static [u8]| Piece::Frame(Frame(Bytes::from_static(bytes)));
    let expected = [
        oversized(b"data:"),
        oversized(b" 012345"),
        oversized(b"67"),
        oversized(b"89\n\n"),
        frame(b"data: b\n\n"),
    ];
    assert_eq!(pieces, expected);
}

#[test]
fn data_is_found_among_fields_and_comments() {
    let one = |text: &str, start| Some((text.to_owned(), Some(start)));
    assert_eq!(data("data: a\n\n"), one("a", 6));
    assert_eq!(data("data:a\r\n\r\n"), one("a", 5));
    assert_eq!(data("data:  a"), one(" a", 6));
    assert_eq!(data("data\n\n"), one("", 4));
    assert_eq!(data("\u{feff}data: a\n\n"), one("a", 9));
    assert_eq!(data(": note\rid: 7\rdata: a\revent: x\r\r"), one("a", 19));
    assert_eq!(data("data: a\ndata: b\ndata\n\n"), Some(("a\nb\n".into(), None)));
    for none in [": data: a\n\n", "database: a\n\n", " data: a\n\n", "\n", ""] {
        assert_eq!(data(none), None, "{none:?}");
    }
}

#[test]
fn nothing_gives_nothing() {
    assert_eq!(whole(""), []);
}

proptest! {
    #[test]
    fn s7_how_a_stream_arrives_changes_neither_frames_nor_bytes(
        stream in r"(data: é|[\n\r:]|[a-d]){0,60}",
        cuts in proptest::collection::btree_set(0..60_usize, 0..20),
    ) {
        let cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut <= stream.len()).collect();
        let pieces = pieces(stream.as_bytes(), &cuts, usize::MAX);
        prop_assert_eq!(pieces.iter().flat_map(bytes).copied().collect::<Vec<_>>(), stream.as_bytes());
        prop_assert_eq!(pieces, whole(&stream));
    }

    #[test]
    fn no_byte_is_lost_however_long_frames_are(
        stream in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..80),
        cuts in proptest::collection::btree_set(0..80_usize, 0..30),
        frame_bytes_max in 0..12_usize,
    ) {
        let cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut <= stream.len()).collect();
        let pieces = pieces(&stream, &cuts, frame_bytes_max);
        prop_assert_eq!(pieces.iter().flat_map(bytes).copied().collect::<Vec<_>>(), stream);
    }
}
