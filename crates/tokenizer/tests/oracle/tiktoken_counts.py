"""Counts texts with OpenAI's own tiktoken: `tiktoken_counts.py VOCABULARIES TEXTS` prints, as JSON, the
counts of every file in the folder TEXTS by name, by encoding.

tiktoken downloads its vocabularies. Here it finds ours instead where it keeps what it has downloaded,
in the form in which they are published, and checks the digest of each: so it proves them too.
"""

import base64
import hashlib
import json
import os
import pathlib
import sys
import tempfile

ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
# p50k_base leaves out the rank of a special token.
GAPS = {"p50k_base": 50256}


def published(name: str, packed: bytes) -> bytes:
    """A vocabulary as tools/vocabulary/pack.py packs it, in the published form."""
    tokens = [packed[at : at + 1] for at in range(256)]
    for at in range(256, len(packed), 9):
        number = int.from_bytes(packed[at : at + 9], "little")
        for bits in (number, number >> 36):
            tokens.append(tokens[bits & 0x3FFFF] + tokens[bits >> 18 & 0x3FFFF])
    gap = GAPS.get(name, len(tokens))
    lines = (
        base64.b64encode(token) + f" {rank + (rank >= gap)}\n".encode()
        for rank, token in enumerate(tokens)
    )
    return b"".join(lines)


def encodings(vocabularies: pathlib.Path, names: list[str]) -> dict:
    """tiktoken's encodings of these names."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TIKTOKEN_CACHE_DIR"] = cache
        for path in vocabularies.glob("*.merges"):
            key = hashlib.sha1(ADDRESS.format(path.stem).encode()).hexdigest()
            pathlib.Path(cache, key).write_bytes(published(path.stem, path.read_bytes()))
        import tiktoken

        return {name: tiktoken.get_encoding(name) for name in names}


def main():
    vocabularies, texts = map(pathlib.Path, sys.argv[1:])
    names = ["o200k_base", "o200k_harmony", "cl100k_base", "p50k_base"]
    counts = {name: {} for name in names}
    for name, encoding in encodings(vocabularies, names).items():
        for path in texts.iterdir():
            text = path.read_bytes().decode()
            counts[name][path.name] = len(encoding.encode_ordinary(text))
    json.dump(counts, sys.stdout)


if __name__ == "__main__":
    main()
