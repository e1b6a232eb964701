#!/usr/bin/env python3
"""Writes `catalog/<provider>.toml` from the packages that the price facts come from.

    tools/catalog/convert.py --out DIR [--packages DIR] [--latest] [--checked DAY]

Packages that are not yet there are downloaded, with progress; offline it says so and ends with 3.
Facts that we know better stand in `corrections.toml`; nothing in the output is edited by hand.
"""

import argparse
import sys
from fractions import Fraction
from pathlib import Path

import facts
import packages

HEAD = """\
# {title}: price facts of its models, in the format that README.md explains.
# Facts from {versions} (see NOTICES.md); written by
# tools/catalog/convert.py, so a correction belongs into tools/catalog/corrections.toml.
"""

# How wide a line may be.
WIDTH = 100


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, required=True, help="the folder for the files")
    options.add_argument("--packages", type=Path, default=Path.home() / ".cache/farthing/catalog")
    options.add_argument("--latest", action="store_true", help="the newest packages, not the named ones")
    options.add_argument("--checked", required=True, help="the day of the facts, as 2026-11-22")
    options = options.parse_args()
    try:
        found = packages.fetch(options.packages, options.latest)
    except packages.Offline as offline:
        print(f"{offline}\nthe catalog stays as it is; try again online", file=sys.stderr)
        return 3
    read = {"genai-prices": packages.genai, "litellm": packages.litellm, "llm-prices": packages.llm_prices}
    known = [read[name](path) for name, (_, path) in found.items()]
    versions = ", ".join(f"{name} {version}" for name, (version, _) in found.items())
    options.out.mkdir(parents=True, exist_ok=True)
    for provider in facts.providers(*known):
        provider.setdefault("checked", options.checked)
        text = HEAD.format(title=provider["title"], versions=versions) + written(provider)
        (options.out / f"{provider['provider']}.toml").write_text(text)
        print(f"{provider['provider']:<12} {len(provider['models']):>4} models", file=sys.stderr)
    return 0


# === TOML ===


def written(provider):
    comment = provider.get("comment", "").strip()
    lines = [
        *([comment] if comment else []),
        "",
        f'provider = "{provider["provider"]}"',
        listed("sources", provider["sources"]),
        f'checked = "{provider["checked"]}"',
    ]
    for key in ("fallback", "regions", "prefixes"):
        if provider.get(key):
            lines.append(listed(key, provider[key]))
    if tokenizer := provider.get("tokenizer"):
        lines.append(f'tokenizer = "{tokenizer}"')
    if cache := provider.get("cache"):
        lines += ["", "[cache]", *(f"{key} = {value(it)}" for key, it in cache.items())]
    for model in sorted(provider["models"].values(), key=lambda model: model["id"]):
        lines += ["", *model_lines(model, surcharges(provider, model))]
    return "\n".join(lines) + "\n"


def surcharges(provider, model):
    for surcharge in provider.get("surcharge", []):
        if model["id"] in surcharge["models"]:
            yield surcharge["when"], surcharge["multiply"]
    if uplift := model.get("regional"):
        yield {"geo": "regional"}, f"{round(uplift * 100)}/100"


def model_lines(model, surcharges):
    lines = ["[[model]]", f'id = "{model["id"]}"']
    if model["aliases"]:
        lines.append(listed("aliases", model["aliases"]))
    for key in ("mode", "context", "max_output", "retires", "checked", "source", "tokenizer"):
        if key in model:
            lines.append(f"{key} = {value(model[key])}")
    if model.get("free"):
        lines.append("free = true")
    cache = model.get("cache", {})
    if "min_cached" in model:
        cache = cache | {"min_tokens": model["min_cached"]}
    if cache:
        lines.append(f"cache = {inline(cache)}")
    for price in model["prices"]:
        lines += ["", *price_lines(price)]
    for when, multiply in surcharges:
        lines += ["", "[[model.surcharge]]", f"when = {inline(when)}", f'multiply = "{reduced(multiply)}"']
    return lines


def price_lines(price):
    lines = ["[[model.price]]"]
    for key in ("from", "when", "days", "utc", "source"):
        if key in price:
            lines.append(f"{key} = {value(price[key])}")
    short = f"rates = {inline(price['rates'])}"
    if len(short) <= WIDTH:
        return [*lines, short]
    return [*lines, "[model.price.rates]", *(f'{key} = "{rate}"' for key, rate in price["rates"].items())]


def value(it):
    if isinstance(it, bool):
        return "true" if it else "false"
    if isinstance(it, int):
        return f"{it:_}"
    if isinstance(it, dict):
        return inline(it)
    if isinstance(it, list):
        return "[" + ", ".join(value(one) for one in it) + "]"
    return f'"{it}"'


def inline(table):
    return "{ " + ", ".join(f"{key} = {value(it)}" for key, it in table.items()) + " }"


def listed(key, texts):
    line = f"{key} = {value(texts)}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{key} = [", *(f'    "{text}",' for text in texts), "]"])


def reduced(fraction):
    exact = Fraction(fraction)
    return f"{exact.numerator}/{exact.denominator}"


if __name__ == "__main__":
    sys.exit(main())
