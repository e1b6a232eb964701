#!/usr/bin/env python3
"""How fast tokens are counted, beside OpenAI's tiktoken and the fastest crates, in one run.

    make clients    # Python's tiktoken, in target/clients
    cargo build --release -p farthing-tokenizer --example speed
    target/clients/bin/python tools/tokens/speed.py [ENCODING]

The texts are what a developer's machine has: documentation and sources of the packages that cargo
unpacked, the JSON of `cargo metadata`, the translations under /usr/share/locale, and texts made to
hurt. The counters take turns, each in a process of its own, and the fastest of several rounds stands.
Cold is the first count after loading, warm the same text again. Figures are ratios to tiktoken.
"""

import base64
import gettext
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "crates/tokenizer/tests/oracle"))
from tiktoken_counts import encodings  # noqa: E402

COUNTERS = ["farthing", "tiktoken-fast", "bpe-openai"]
ROUNDS = int(os.environ.get("ROUNDS", 5))
SIZE = 1_000_000
LANGUAGES = "de fr es pt_BR it pl ru uk tr vi id ar he hi th el cs hu fi ja ko zh_CN sv nl ro bg fa ta bn ka".split()
RANDOM = random.Random(7)


def packages(suffix: str, is_wanted=lambda text: True) -> str:
    """Files of cargo's packages, in an order without pattern, until there is enough."""
    home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    files = sorted(home.glob(f"registry/src/*/*/**/*{suffix}"))
    RANDOM.shuffle(files)
    texts, length = [], 0
    for file in files:
        text = file.read_bytes().decode(errors="ignore")[:60_000]
        if length < SIZE and is_wanted(text):
            texts.append(text)
            length += len(text)
    return "\n".join(texts)


def translations(languages: list[str]) -> str:
    share = SIZE // len(languages)
    texts = []
    for language in languages:
        text = ""
        for path in sorted(pathlib.Path("/usr/share/locale", language).glob("LC_MESSAGES/*.mo")):
            with path.open("rb") as file:
                messages = gettext.GNUTranslations(file)._catalog
            text += "\n".join(text for key, text in messages.items() if key and isinstance(text, str))
            if len(text.encode()) > share:
                break
        texts.append(text.encode()[:share].decode(errors="ignore"))
    return "\n".join(texts)


def texts() -> dict[str, str]:
    word = lambda: "".join(RANDOM.choices("abcdefghijklmnopqrstuvwxyz", k=RANDOM.randint(4, 14)))
    metadata = ["cargo", "metadata", "--format-version", "1", "--locked", "--offline"]
    noise = RANDOM.randbytes(SIZE)
    return {
        "English": packages(".md", lambda text: len(text.encode()) < 1.005 * len(text)),
        "code": packages(".rs"),
        "JSON": subprocess.run(metadata, cwd=ROOT, capture_output=True, text=True).stdout[:SIZE],
        "Chinese, Japanese, Korean": translations(["zh_CN", "zh_TW", "ja", "ko"]),
        "30 languages": translations(LANGUAGES),
        "words without repeats": " ".join(word() for _ in range(SIZE // 10)),
        "base64": base64.b64encode(noise[: SIZE * 3 // 4]).decode(),
        "hex": noise[: SIZE // 2].hex(),
        "ACGT": "".join(RANDOM.choices("ACGT", k=SIZE)),
        "one letter": "a" * SIZE,
        "=-": "=-" * (SIZE // 2),
        "one mark": "-" * SIZE,
        "newlines": "\n" * SIZE,
        "spaces": " " * SIZE,
        "one ideograph": "漢" * (SIZE // 3),
    }


def run(counter: str, encoding: str, path: str) -> list[int] | None:
    """Tokens, and in nanoseconds: loading, cold, warm. Nothing where the counter breaks."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    command = [target / "release/examples/speed", counter, encoding, path]
    output = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return [int(number) for number in output.stdout.split()] or None


def by_tiktoken(encoding, text: str) -> list[int] | None:
    start = time.perf_counter_ns()
    try:
        tokens = len(encoding.encode_ordinary(text))
    except BaseException:  # its panic on a stack that is too small is no Exception
        return None
    spent = time.perf_counter_ns() - start
    return [tokens, 0, spent, spent]


def best(rounds: list[list[int] | None]) -> list[int] | None:
    return None if None in rounds else [min(column) for column in zip(*rounds)]


def row(name: str, text: str, encoding, folder: str) -> str:
    path = os.path.join(folder, "text")
    pathlib.Path(path).write_bytes(text.encode())
    rounds = ROUNDS if re.search("[A-Z0-9]", name[:1]) or "words" in name or name == "code" else 1
    results = {counter: [] for counter in ["tiktoken", *COUNTERS]}
    for _ in range(rounds):
        results["tiktoken"].append(by_tiktoken(encoding, text))
        for counter in COUNTERS:
            results[counter].append(run(counter, encoding.name, path))
    bests = {counter: best(results[counter]) for counter in results}
    reference, own = bests["tiktoken"], bests["farthing"]
    size = len(text.encode())
    cells = [name, f"{1e3 * size / reference[2]:.1f}" if reference else "overflows its stack"]
    for counter in COUNTERS:
        result = bests[counter]
        exact = result and result[0] == (reference or own)[0]
        if not exact:
            cells.append("breaks" if result is None else f"{result[0]} tokens")
        elif reference:
            cells.append(f"{reference[2] / result[2]:.1f} / {reference[2] / result[3]:.1f}")
        else:
            cells.append("counts")
    cells.append(f"{own[2] / size:.1f} / {own[3] / size:.1f}")
    return "| " + " | ".join(cells) + " |"


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "o200k_base"
    encoding = encodings(ROOT / "crates/tokenizer/vocabulary", [name])[name]
    header = ["text", "tiktoken, MB/s", *(f"{counter}, cold / warm" for counter in COUNTERS)]
    header.append("farthing, ns a byte")
    print("| " + " | ".join(header) + " |\n" + "|---" * len(header) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for title, text in texts().items():
            if text:
                print(row(title, text, encoding, folder), flush=True)


if __name__ == "__main__":
    main()
