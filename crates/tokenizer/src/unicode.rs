//! What the splitters need to know of a character.

mod table;

use table::{PAGE_OF, PAGES};

/// A character's class as bits, so that a set of classes is one value too. No bit: punctuation,
/// symbols, controls, unassigned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class(u8);

/// A character where it stands in a text; past the end, one of no class and no length.
#[derive(Clone, Copy)]
pub(crate) struct Char {
    pub(crate) class: Class,
    /// In bytes.
    pub(crate) len: usize,
}

// === impl Class ===

impl Class {
    pub(crate) const UPPER: Self = Self(1);
    pub(crate) const LOWER: Self = Self(1 << 1);
    /// Letters that are neither.
    pub(crate) const CASELESS: Self = Self(1 << 2);
    pub(crate) const MARK: Self = Self(1 << 3);
    pub(crate) const NUMBER: Self = Self(1 << 4);
    /// White space, line ends among it.
    pub(crate) const SPACE: Self = Self(1 << 5);
    /// Carriage return and line feed.
    pub(crate) const NEWLINE: Self = Self(1 << 6);
    pub(crate) const LETTER: Self = Self::UPPER.or(Self::LOWER).or(Self::CASELESS);

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two have a class in common.
    #[inline(always)]
    pub(crate) const fn is(self, set: Self) -> bool {
        self.0 & set.0 != 0
    }

    #[inline(always)]
    fn of(code_point: u32) -> Self {
        let page = usize::from(PAGE_OF[code_point as usize >> 8]);
        Self(PAGES[page << 8 | code_point as usize & 0xff])
    }
}

// === impl Char ===

impl Char {
    /// The character that begins at `at` in a text of valid UTF-8.
    #[inline(always)]
    pub(crate) fn at(text: &[u8], at: usize) -> Self {
        let bits = |byte: u8| u32::from(byte & 0x3f);
        let (class, len) = match *text.get(at..).unwrap_or_default() {
            // The first page.
            [a, ..] if a < 0x80 => (Class(PAGES[usize::from(a)]), 1),
            [a, b, ..] if a < 0xe0 => (Class::of(u32::from(a & 0x1f) << 6 | bits(b)), 2),
            [a, b, c, ..] if a < 0xf0 => {
                (Class::of(u32::from(a & 0xf) << 12 | bits(b) << 6 | bits(c)), 3)
            }
            [a, b, c, d, ..] => {
                let end = bits(b) << 12 | bits(c) << 6 | bits(d);
                (Class::of(u32::from(a & 7) << 18 | end), 4)
            }
            _ => (Class(0), 0),
        };
        Self { class, len }
    }

    /// Whether there is such a character, and of one of these classes.
    #[inline(always)]
    pub(crate) fn is(self, set: Class) -> bool {
        self.class.is(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matching(pattern: &str) -> Vec<bool> {
        let mut found = vec![false; 0x11_0000];
        let class = match regex_syntax::parse(pattern).unwrap().into_kind() {
            regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => class,
            other => panic!("{pattern} is {other:?}"),
        };
        for range in class.iter() {
            found[range.start() as usize..=range.end() as usize].fill(true);
        }
        found
    }

    #[test]
    fn every_code_point_has_the_class_of_unicode_16() {
        let classes = [
            (Class::UPPER, r"[\p{Lu}\p{Lt}]"),
            (Class::LOWER, r"\p{Ll}"),
            (Class::CASELESS, r"[\p{Lm}\p{Lo}]"),
            (Class::LETTER, r"\p{L}"),
            (Class::MARK, r"\p{M}"),
            (Class::NUMBER, r"\p{N}"),
            (Class::SPACE, r"\s"),
            (Class::NEWLINE, r"[\r\n]"),
        ];
        for (class, pattern) in classes {
            let expected = matching(pattern);
            for character in '\0'..=char::MAX {
                let mut buffer = [0; 4];
                let text = character.encode_utf8(&mut buffer).as_bytes();
                let found = Char::at(text, 0);
                assert_eq!(found.len, text.len());
                assert_eq!(
                    found.is(class),
                    expected[character as usize],
                    "{character:?} {pattern}"
                );
            }
        }
    }
}
