//! Listings of folders, as `ls -l` prints them.

use std::borrow::Cow;
use std::ops::Range;

use crate::codec::marker::{self, OPEN, Verb};
use crate::codec::{Codec, estimate};

/// Says once what most lines of a listing have in common:
///
/// ```text
/// [§ listing of 3, where not said -rw-r--r-- 1 root root, Apr 30 08:32]
/// 9336 BUILD.md
/// drwxr-xr-x 7 4096 src
/// 106625 CHANGELOG.md
/// ```
///
/// Of a line of the usual kind, size and name are left; of one with another mode, or more links, those
/// too. What differs in anything else stays as it is. The columns are aligned as `ls` aligns them: each
/// as wide as its widest entry, so they can be put back. Where there are more blanks between two of
/// them than one, the head has them too.
///
/// Canonical form: the text itself.
#[derive(Clone, Copy, Debug)]
pub struct Listing;

/// Shorter listings are not worth a marker.
const LINES_MIN: usize = 3;

/// The most bytes of what a head says that decoding may write again and again.
const HEAD_BYTES_MAX: usize = 256;

/// A line of a listing, in its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry<'l> {
    mode: &'l str,
    links: &'l str,
    /// Owner and group, with the blanks that align them.
    owner: &'l str,
    size: &'l str,
    /// Day and time, with the blanks that align them.
    date: &'l str,
    name: &'l str,
}

/// What most lines of a listing have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Usual<'l> {
    mode: &'l str,
    links: &'l str,
    owner: &'l str,
    date: &'l str,
    gaps: Gaps,
}

/// How many blanks stand between columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Gaps {
    before_links: usize,
    before_size: usize,
}

/// How wide the columns of a listing are.
#[derive(Clone, Copy)]
struct Widths {
    mode: usize,
    links: usize,
    size: usize,
}

/// Lines that are written short, or were.
#[derive(Clone, Copy)]
enum Line<'l> {
    Entry(Entry<'l>),
    /// As it is.
    Whole(&'l str),
}

/// Cuts the first word off, and the blanks behind it.
fn word(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.split_once(' ')?;
    (!word.is_empty()).then(|| (word, rest.trim_start_matches(' ')))
}

fn is_mode(word: &str) -> bool {
    let bytes = word.as_bytes();
    let kind = bytes.first().is_some_and(|kind| b"-dlbcps".contains(kind));
    let rights = bytes
        .get(1..10)
        .is_some_and(|rights| rights.iter().all(|right| b"-rwxsStT".contains(right)));
    kind && rights && (bytes.len() == 10 || (bytes.len() == 11 && b".+@".contains(&bytes[10])))
}

fn is_number(word: &str) -> bool {
    word.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// In bytes, or as people read it: `4096`, `1.1M`.
fn is_size(word: &str) -> bool {
    let digits = word.trim_end_matches(['K', 'M', 'G', 'T']);
    word.len() - digits.len() <= 1
        && !digits.is_empty()
        && digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The first line of each row of lines that are entries, and the line behind its last.
fn runs(entries: &[Option<Entry>]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut at = 0;
    while at < entries.len() {
        let count = entries[at..].iter().take_while(|entry| entry.is_some()).count();
        if count >= LINES_MIN {
            runs.push(at..at + count);
        }
        at += count.max(1);
    }
    runs
}

/// What stands most often among the first of `values`.
fn most<'l>(values: impl Iterator<Item = &'l str> + Clone) -> Option<&'l str> {
    /// Further ones are counted, but not looked for.
    const CANDIDATES: usize = 8;
    let count = |value: &&str| values.clone().filter(|other| other == value).count();
    values.clone().take(CANDIDATES).max_by_key(count)
}

/// The lines of a listing with its columns aligned.
fn aligned(lines: &[Line], gaps: Gaps, into: &mut String) {
    let entries = lines.iter().filter_map(|line| match line {
        Line::Entry(entry) => Some(*entry),
        Line::Whole(line) => Entry::parse(line),
    });
    let Widths { mode: mode_width, links: links_width, size: size_width } = Widths::of(entries);
    let (links_width, size_width) =
        (links_width + gaps.before_links, size_width + gaps.before_size);
    for line in lines {
        match line {
            Line::Entry(Entry { mode, links, owner, size, date, name }) => {
                into.push_str(&format!(
                    "{mode:<mode_width$}{links:>links_width$} {owner}{size:>size_width$} {date} {name}\n"
                ));
            }
            Line::Whole(line) => {
                into.push_str(line);
                into.push('\n');
            }
        }
    }
}

// === impl Widths ===

impl Widths {
    fn of<'l>(entries: impl Iterator<Item = Entry<'l>>) -> Self {
        entries.fold(Self { mode: 0, links: 0, size: 0 }, |widths, entry| Self {
            mode: widths.mode.max(entry.mode.len()),
            links: widths.links.max(entry.links.len()),
            size: widths.size.max(entry.size.len()),
        })
    }
}

// === impl Gaps ===

impl Gaps {
    /// Those of a listing that has `entry` on `line`.
    fn of(entry: &Entry, line: &str, widths: Widths) -> Option<Self> {
        let end = |part: &str| Some(offset(line, part)? + part.len());
        let links = end(entry.links)?.checked_sub(widths.mode + widths.links)?;
        let size = end(entry.size)?.checked_sub(end(entry.owner)? + widths.size)?;
        (links > 0 && size > 0).then_some(Self { before_links: links, before_size: size })
    }
}

// === impl Entry ===

impl<'l> Entry<'l> {
    /// A line as `ls -l` prints it.
    fn parse(line: &'l str) -> Option<Self> {
        let (mode, rest) = word(line).filter(|(mode, _)| is_mode(mode))?;
        let (links, rest) = word(rest).filter(|(links, _)| is_number(links))?;
        let owner_and_more = rest;
        let (_, rest) = word(rest)?;
        let (group, rest) = word(rest)?;
        let owner_end = offset(owner_and_more, group)? + group.len();
        let (size, date_and_name) = word(rest).filter(|(size, _)| is_size(size))?;
        let (_, rest) = word(date_and_name)?;
        let (_, rest) = word(rest)?;
        let (time, _) = word(rest)?;
        let date_end = offset(date_and_name, time)? + time.len();
        let size_at = offset(owner_and_more, size)?;
        let blanks = owner_and_more.get(owner_end..size_at)?;
        let date = date_and_name.get(..date_end)?;
        let is_date = date.bytes().any(|byte| byte.is_ascii_digit()) && !date.contains(',');
        let name = date_and_name.get(date_end + 1..)?;
        (is_date && !blanks.is_empty() && !name.is_empty()).then_some(Self {
            mode,
            links,
            owner: owner_and_more.get(..owner_end)?,
            size,
            date,
            name,
        })
    }

    /// A line as [`written`](Self::written) short.
    fn of_short(line: &'l str, usual: Usual<'l>) -> Option<Self> {
        let Usual { mode, links, owner, date, .. } = usual;
        let (first, rest) = line.split_once(' ')?;
        if is_size(first) {
            return Some(Self { mode, links, owner, size: first, date, name: rest });
        }
        let (links, rest) = rest.split_once(' ')?;
        let (size, name) = rest.split_once(' ')?;
        let fits = is_mode(first) && is_number(links) && is_size(size);
        fits.then_some(Self { mode: first, links, owner, size, date, name })
    }

    /// The entry without what is usual; `None` where more than mode and links differ.
    fn written(&self, usual: Usual) -> Option<String> {
        let Self { mode, links, owner, size, date, name } = self;
        if (*owner, *date) != (usual.owner, usual.date) {
            return None;
        }
        Some(match (*mode, *links) == (usual.mode, usual.links) {
            true => format!("{size} {name}"),
            false => format!("{mode} {links} {size} {name}"),
        })
    }
}

/// Where `part` begins, which is a part of `text`.
fn offset(text: &str, part: &str) -> Option<usize> {
    (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)
}

// === impl Usual ===

impl<'l> Usual<'l> {
    fn of(entries: &[Entry<'l>], gaps: Gaps) -> Self {
        let files = || entries.iter().filter(|entry| entry.mode.starts_with('-'));
        let mode = most(files().map(|entry| entry.mode))
            .or_else(|| most(entries.iter().map(|entry| entry.mode)));
        let mode = mode.unwrap_or_default();
        let alike = entries.iter().filter(|entry| entry.mode == mode);
        Self {
            mode,
            links: most(alike.map(|entry| entry.links)).unwrap_or_default(),
            owner: most(entries.iter().map(|entry| entry.owner)).unwrap_or_default(),
            date: most(entries.iter().map(|entry| entry.date)).unwrap_or_default(),
            gaps,
        }
    }

    /// The line above a listing of so many lines.
    fn head(&self, lines: usize) -> String {
        let Self { mode, links, owner, date, gaps } = self;
        let word = Verb::Listing.word();
        let before_links = " ".repeat(gaps.before_links);
        let before_size = " ".repeat(gaps.before_size.saturating_sub(1));
        format!(
            "{OPEN}{word}{lines}, where not said {mode}{before_links}{links} {owner}{before_size}, {date}]\n"
        )
    }

    /// How many lines, and what they have in common.
    fn parse(says: &'l str) -> Option<(usize, Self)> {
        let bounded = says.len() <= HEAD_BYTES_MAX;
        let (lines, usual) = says.split_once(", where not said ").filter(|_| bounded)?;
        let (mode, rest) = usual.split_once(' ')?;
        let from_links = rest.trim_start_matches(' ');
        let (links, owner) = from_links.split_once(' ')?;
        let (padded, date) = owner.split_once(", ")?;
        let owner = padded.trim_end_matches(' ');
        let gaps = Gaps {
            before_links: rest.len() - from_links.len() + 1,
            before_size: padded.len() - owner.len() + 1,
        };
        Some((lines.parse().ok()?, Self { mode, links, owner, date, gaps }))
    }
}

/// A run of entries, written short; `None` where that does not pay or does not come back.
fn shortened(entries: &[Entry], lines: &[&str]) -> Option<String> {
    let widths = Widths::of(entries.iter().copied());
    let usual = Usual::of(entries, Gaps::of(entries.first()?, lines.first()?, widths)?);
    let mut short = usual.head(lines.len());
    for (entry, line) in entries.iter().zip(lines) {
        short.push_str(&entry.written(usual).unwrap_or_else(|| (*line).to_owned()));
        short.push('\n');
    }
    let whole = lines.join("\n");
    let comes_back = Listing.decode(short.strip_suffix('\n')?)? == whole;
    (comes_back && estimate(&short) < estimate(&whole)).then_some(short)
}

// === impl Codec ===

impl Codec for Listing {
    fn name(&self) -> &'static str {
        "listing"
    }

    fn encode(&self, text: &str) -> Option<String> {
        if marker::has(text, &[Verb::Listing]) || !text.contains("rw") {
            return None;
        }
        let lines: Vec<&str> = text.split('\n').collect();
        let entries: Vec<Option<Entry>> = lines.iter().map(|line| Entry::parse(line)).collect();
        let mut encoded = String::with_capacity(text.len());
        let mut done = 0;
        let push = |line: &&str, into: &mut String| {
            into.push_str(line);
            into.push('\n');
        };
        for run in runs(&entries) {
            lines[done..run.start].iter().for_each(|line| push(line, &mut encoded));
            let listed: Vec<Entry> = entries[run.clone()].iter().copied().flatten().collect();
            match shortened(&listed, &lines[run.clone()]) {
                Some(short) => encoded.push_str(&short),
                None => lines[run.clone()].iter().for_each(|line| push(line, &mut encoded)),
            }
            done = run.end;
        }
        lines[done..].iter().for_each(|line| push(line, &mut encoded));
        encoded.pop();
        (encoded.len() < text.len()).then_some(encoded)
    }

    fn decode(&self, text: &str) -> Option<String> {
        let mut decoded = String::with_capacity(2 * text.len());
        let mut lines = text.split('\n');
        let mut found = false;
        while let Some(line) = lines.next() {
            let Some(says) = Verb::Listing.line(line) else {
                decoded.push_str(line);
                decoded.push('\n');
                continue;
            };
            let (count, usual) = Usual::parse(says)?;
            let listed: Vec<Line> = lines
                .by_ref()
                .take(count)
                .map(|line| match Entry::parse(line) {
                    Some(_) => Line::Whole(line),
                    None => Entry::of_short(line, usual).map_or(Line::Whole(line), Line::Entry),
                })
                .collect();
            if listed.len() < count {
                return None;
            }
            aligned(&listed, usual.gaps, &mut decoded);
            found = true;
        }
        decoded.pop();
        found.then_some(decoded)
    }

    fn canonical<'t>(&self, text: &'t str) -> Cow<'t, str> {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LISTING: &str = "total 120\n\
        drwxr-xr-x 17 root root   4096 Apr 30 08:32 .\n\
        -rw-r--r--  1 root root   9336 Apr 30 08:32 BUILD.md\n\
        -rw-r--r--  1 root root 106625 Apr 30 08:32 CHANGE LOG.md\n\
        -rwxr-xr-x  1 root root     12 Apr 30 08:32 run\n\
        -rw-r--r--  1 anna root     12 Jan  3  2024 old\n\
        lrwxrwxrwx  1 root root     12 Apr 30 08:32 a -> b\n\
        end";

    #[test]
    fn what_most_lines_of_a_listing_have_in_common_is_said_once() {
        let short = Listing.encode(LISTING).unwrap();
        assert_eq!(
            short,
            "total 120\n\
             [§ listing of 6, where not said -rw-r--r-- 1 root root, Apr 30 08:32]\n\
             drwxr-xr-x 17 4096 .\n\
             9336 BUILD.md\n\
             106625 CHANGE LOG.md\n\
             -rwxr-xr-x 1 12 run\n\
             -rw-r--r--  1 anna root     12 Jan  3  2024 old\n\
             lrwxrwxrwx 1 12 a -> b\n\
             end"
        );
        assert_eq!(Listing.decode(&short).as_deref(), Some(LISTING));
        assert_eq!(Listing.encode(&short), None);
    }

    #[test]
    fn columns_further_apart_come_back() {
        let text = "-rw-r--r--@  1 ann  staff    224 Jan  3 10:00 a\n\
                    -rw-r--r--@  1 ann  staff  22400 Jan  3 10:00 b\n\
                    drwxr-xr-x  12 ann  staff     64 Jan  3 10:00 c";
        let short = Listing.encode(text).unwrap();
        assert!(
            short.ends_with("staff , Jan  3 10:00]\n224 a\n22400 b\ndrwxr-xr-x 12 64 c"),
            "{short}"
        );
        assert_eq!(Listing.decode(&short).as_deref(), Some(text));
    }

    #[test]
    fn what_would_not_come_back_stays_as_it_is() {
        let line = |size: &str| format!("-rw-r--r-- 1 root root {size} Apr 30 08:32 name\n");
        for text in [
            String::new(),
            "rw\nrw\nrw\n".to_owned(),
            line("1").repeat(2),
            [line("  1"), line("2"), line("3"), line("4")].concat(),
        ] {
            assert_eq!(Listing.encode(&text), None, "{text}");
        }
        for broken in ["", "[§ listing of 2, where not said a 1 b, c]\n1 x", "[§ listing of x]\n"]
        {
            assert_eq!(Listing.decode(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn every_listing_comes_back(
            lines in proptest::collection::vec(
                "(-rw-r--r--|drwxr-xr-x\\+?|l) {1,2}[1-9]{1,2} (a|bb) {1,2}c {1,3}[0-9]{1,4}K? \
                 (May  7 08:32|Jun 12  2024|2024-05-01 10:00 \\+0) [a-z0-9 ]{0,6}",
                0..9,
            ),
        ) {
            let text = lines.join("\n");
            if let Some(short) = Listing.encode(&text) {
                prop_assert_eq!(Listing.decode(&short), Some(text));
                prop_assert_eq!(Listing.encode(&short), None);
            }
        }

        #[test]
        fn nothing_panics(text in "(-rw-r--r-- |1 |root |4096 |May 7 08:32 |x\n|\n|é){0,40}") {
            Listing.encode(&text);
            Listing.decode(&format!("[§ listing of 3, where not said -rw-r--r-- 1 r r, d]\n{text}"));
        }
    }
}
