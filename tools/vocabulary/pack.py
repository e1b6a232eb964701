#!/usr/bin/env python3
"""Packs published vocabularies into crates/tokenizer/vocabulary/*.merges.

    python3 tools/vocabulary/pack.py o200k_base.tiktoken cl100k_base.tiktoken p50k_base.tiktoken

The files are those that OpenAI's `tiktoken` (MIT) downloads; their digests are checked. They list
tokens by rank. A token of several bytes is always made by one last merge, of two tokens of lower
rank, so these two ranks say all: 36 bits a token, a quarter of the published size and nothing to
decompress. The format, all little-endian:

    256 bytes               the single-byte tokens, by rank
    72 bits for two tokens  rank of the left part, rank of the right part, the same of the next
                            token: 18 bits each

Ranks are numbered without gaps: p50k_base leaves one out for a special token.
"""

import base64
import hashlib
import pathlib
import sys

DIGESTS = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "p50k_base": "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
}
TARGET = pathlib.Path(__file__).parents[2] / "crates/tokenizer/vocabulary"
BITS = 18


def last_merge(token: bytes, ranks: dict[bytes, int]) -> tuple[int, int]:
    """The ranks of the two parts that byte-pair encoding merges last into `token`."""
    parts = [token[at : at + 1] for at in range(len(token))]
    while len(parts) > 2:
        merged = [ranks.get(left + right, len(ranks)) for left, right in zip(parts, parts[1:])]
        at = merged.index(min(merged))
        assert merged[at] < ranks[token], f"{token} cannot be reached by merges"
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return ranks[parts[0]], ranks[parts[1]]


def pack(published: bytes) -> bytes:
    lines = [line.split() for line in published.splitlines()]
    by_rank = sorted((int(rank), base64.b64decode(token)) for token, rank in lines)
    tokens = [token for _, token in by_rank]
    ranks = {token: rank for rank, token in enumerate(tokens)}
    assert all(len(token) == 1 for token in tokens[:256]) and len(ranks) < 1 << BITS
    assert len(tokens) % 2 == 0
    packed = bytearray(b"".join(tokens[:256]))
    merges = [last_merge(token, ranks) for token in tokens[256:]]
    for first, second in zip(merges[::2], merges[1::2]):
        number = sum(rank << BITS * at for at, rank in enumerate(first + second))
        packed += number.to_bytes(9, "little")
    return bytes(packed)


def main():
    for path in map(pathlib.Path, sys.argv[1:]):
        published = path.read_bytes()
        digest = hashlib.sha256(published).hexdigest()
        assert digest == DIGESTS[path.stem], f"{path} is not the published file: {digest}"
        (TARGET / f"{path.stem}.merges").write_bytes(pack(published))


if __name__ == "__main__":
    main()
