#!/usr/bin/env python3
"""Writes crates/tokenizer/src/unicode/table.rs: the class of every code point, as of Unicode 16.

The published splitters were written against Unicode 16; a newer table splits some texts differently.
The categories come from the PyPI package `unicodedata2`, whose version is that of its Unicode:

    python3 -m venv target/unicode && target/unicode/bin/pip install unicodedata2==16.0.0
    target/unicode/bin/python tools/unicode/generate.py

A test of the crate compares the result with `regex-syntax`, code point by code point.
"""

import pathlib

import unicodedata2 as unicode

assert unicode.unidata_version == "16.0.0", f"Unicode {unicode.unidata_version}, but 16.0.0 is needed"

TARGET = pathlib.Path(__file__).parents[2] / "crates/tokenizer/src/unicode/table.rs"
PAGE = 256
PER_LINE = 64

# The bits of `Class` in unicode.rs.
UPPER, LOWER, CASELESS, MARK, NUMBER, SPACE, NEWLINE = (1 << bit for bit in range(7))

BY_CATEGORY = {
    **dict.fromkeys(["Lu", "Lt"], UPPER),
    "Ll": LOWER,
    **dict.fromkeys(["Lm", "Lo"], CASELESS),
    **dict.fromkeys(["Mn", "Mc", "Me"], MARK),
    **dict.fromkeys(["Nd", "Nl", "No"], NUMBER),
    **dict.fromkeys(["Zs", "Zl", "Zp"], SPACE),
}
# Property White_Space is the category Z and these.
CONTROLS = {**dict.fromkeys("\t\v\f\x85", SPACE), **dict.fromkeys("\n\r", SPACE | NEWLINE)}


def class_of(code_point: int) -> int:
    character = chr(code_point)
    return CONTROLS.get(character) or BY_CATEGORY.get(unicode.category(character), 0)


def rows(numbers):
    lines = (numbers[at : at + PER_LINE] for at in range(0, len(numbers), PER_LINE))
    return "\n".join("    " + " ".join(f"{number}," for number in line) for line in lines)


def main():
    pages, page_of = {}, []
    for start in range(0, 0x110000, PAGE):
        page = tuple(class_of(code_point) for code_point in range(start, start + PAGE))
        page_of.append(pages.setdefault(page, len(pages)))
    classes = [number for page in pages for number in page]
    TARGET.write_text(
        "//! Written by tools/unicode/generate.py from the categories of Unicode 16.0.0; not to be edited.\n\n"
        "/// By the code point's number without its last eight bits, the page that has its class.\n"
        "#[rustfmt::skip]\n"
        f"pub(super) static PAGE_OF: [u8; {len(page_of)}] = [\n{rows(page_of)}\n];\n\n"
        "/// Classes, 256 code points to a page.\n"
        "#[rustfmt::skip]\n"
        f"pub(super) static PAGES: [u8; {len(classes)}] = [\n{rows(classes)}\n];\n"
    )


if __name__ == "__main__":
    main()
