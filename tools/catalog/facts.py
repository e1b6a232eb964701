"""What of the three packages goes into the catalog, as plain values in the catalog's own terms."""

import datetime
import tomllib
from pathlib import Path

import names

BUCKETS = {
    "input_mtok": "input",
    "input_audio_mtok": "input_audio",
    "input_image_mtok": "input_image",
    "input_video_mtok": "input_video",
    "cache_read_mtok": "cache_read",
    "cache_audio_read_mtok": "cache_read_audio",
    "cache_image_read_mtok": "cache_read_image",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_mtok": "output",
    "output_reasoning_mtok": "output_reasoning",
    "output_audio_mtok": "output_audio",
    "output_image_mtok": "output_image",
    "output_video_mtok": "output_video",
    "output_citation_mtok": "citation",
    "web_searches_kcount": "web_search",
    "storage_searches_kcount": "file_search",
    "input_document_kpages": "pages",
    "input_annotated_document_kpages": "annotated_pages",
    "audio_hours": "seconds",
    "input_mchars": "characters",
    "input_text_messages_kcount": "messages",
    "requests_kcount": "requests",
}
# The same price under a second name, for another direction of the sound.
SAME_AS = {"input_audio_hours": "audio_hours"}

# Whose models are listed; genai-prices also has resellers.
PROVIDERS = list(names.LITELLM)

CORRECTIONS = Path(__file__).with_name("corrections.toml")


def providers(genai, litellm, llm_prices):
    """The catalog's providers: what the packages say, then what `corrections.toml` knows better."""
    corrections = tomllib.loads(CORRECTIONS.read_text())
    known = {provider["id"]: provider for provider in genai}
    for name in PROVIDERS:
        theirs = names.of_litellm(name, litellm)
        models = known[name]["models"]
        pages = {names.owner(models, page["model"]): page for page in llm_prices if page["provider"] == name}
        yield corrected(provider(known[name], theirs, pages), corrections.get(name, {}))


def provider(theirs, litellm, pages):
    name = theirs["id"]
    aliases = names.aliases(name, theirs["models"], litellm)
    models = {}
    for entry in filter(has_price, theirs["models"]):
        own = names.own_name(name, entry["id"])
        model = read_model(name, entry, litellm, pages)
        model["aliases"] = aliases[entry["id"]]
        if own in models:
            merge_regions(models[own], model)
        elif entry["id"].startswith("global.") and name == "aws":
            models[own] = {"global": model} | model
        else:
            models[own] = model
        models[own]["id"] = own
    for model in models.values():
        model.pop("global", None)
    about = {
        "provider": name,
        "title": theirs["name"],
        "sources": theirs["pricing_urls"],
        "fallback": theirs.get("fallback_model_providers", []),
    }
    return about | {"models": models}


def has_price(entry):
    """Some of genai-prices' models have no rate at all: nothing is known of their price, so they have none."""
    prices = entry["prices"] if isinstance(entry["prices"], list) else [{"prices": entry["prices"]}]
    return any(len(price["prices"]) > 1 for price in prices)


def merge_regions(known, other):
    """Bedrock's `global.` and regional entries of a model are one model with a price for `geo = "global"`."""
    everywhere, here = (known, other) if "global" in known else (other, known)
    variants = [price | {"when": {"geo": "global"}} for price in everywhere["prices"]]
    aliases = list(dict.fromkeys([*here["aliases"], *everywhere["aliases"]]))
    limits = {key: value for key, value in everywhere.items() if key not in ("prices", "aliases", "global")}
    merged = limits | here | {"prices": here["prices"] + variants, "aliases": aliases}
    known.clear()
    known.update(merged)


def read_model(provider, entry, litellm, pages):
    model = {"id": entry["id"]}
    model |= limits(litellm_facts(provider, entry["id"], entry, litellm))
    if "context_window" in entry:
        model["context"] = entry["context_window"]
    page = pages.get(entry["id"])
    if page:
        model["checked"] = page["checked"]
    prices = entry["prices"] if isinstance(entry["prices"], list) else [{"prices": entry["prices"]}]
    model["prices"] = [read_price(provider, price) for price in prices]
    for variant in entry.get("price_variants", []):
        if len(variant["prices"]) > 1:
            model["prices"].append(read_price(provider, variant) | {"when": variant["when"]})
    return model


def litellm_facts(provider, name, entry, litellm):
    """What litellm knows of the model under its own name or one that stands for it."""
    own = names.own_name(provider, name).lower()
    exact = [own, names.undated(own), f"{own}-latest"]
    others = [text.lower() for text, _ in names.spelled_out(entry["match"])]
    for candidate in exact + others:
        if candidate in litellm:
            return litellm[candidate]
    dated = [key for key in litellm if names.undated(key) == own]
    return litellm[max(dated)] if dated else {}


def limits(facts):
    found = {
        "mode": facts.get("mode"),
        "context": facts.get("max_input_tokens"),
        "max_output": facts.get("max_output_tokens"),
        "retires": facts.get("deprecation_date"),
        "min_cached": facts.get("prompt_cache_min_tokens"),
    }
    uplifts = [facts.get(f"regional_{kind}") for kind in UPLIFTS]
    if uplift := next((uplift for uplift in uplifts if uplift), None):
        found["regional"] = uplift
    return {key: tidy(value) for key, value in found.items() if value}


UPLIFTS = ("processing_uplift_multiplier_us", "endpoint_uplift_multiplier")


def tidy(value):
    return int(value) if isinstance(value, float) and value == int(value) else value


def read_price(provider, price):
    rates = {}
    for key, rate in price["prices"].items():
        if key == "is" or rate is None:
            continue
        if key in SAME_AS:
            if price["prices"].get(SAME_AS[key]) != rate:
                raise SystemExit(f"{provider}: {key} has another price than {SAME_AS[key]}; give it a bucket")
            continue
        rates[BUCKETS[key]] = read_rate(provider, rate)
    read = {"rates": {bucket: rates[bucket] for bucket in BUCKETS.values() if bucket in rates}}
    constraint = price.get("constraint")
    if constraint and constraint["is"] == "StartDateConstraint":
        read["from"] = constraint["start_date"]
    elif constraint:
        read["utc"] = [f"{constraint['start_time']}-{constraint['end_time']}"]
    return read


def read_rate(provider, rate):
    if isinstance(rate, str):
        return plain(rate)
    tiers = [tier_text(provider, tier) for tier in rate["tiers"]]
    return ", ".join([plain(rate["base"]), *tiers])


def tier_text(provider, tier):
    # xAI's tiers begin at the round number itself; genai-prices has it as the last below.
    operator, start = ("from", tier["start"] + 1) if provider == "x-ai" else ("above", tier["start"])
    return f"{operator} {start}: {plain(tier['price'])}"


def plain(number):
    """Without zeros that say nothing."""
    return number.rstrip("0").rstrip(".") if "." in number else number


# === Corrections ===


TABLES = ("model", "rename", "drop", "tokenizers", "caches")


def corrected(provider, corrections):
    """Applies what we know better: see the head of `corrections.toml`."""
    provider |= {key: value for key, value in corrections.items() if key not in TABLES}
    models = provider["models"]
    for encoding, beginnings in corrections.get("tokenizers", {}).items():
        for name in models:
            if name.startswith(tuple(beginnings)):
                models[name]["tokenizer"] = encoding
    for cache in corrections.get("caches", []):
        for name in models:
            if name.startswith(tuple(cache["models"])):
                models[name]["cache"] = {key: value for key, value in cache.items() if key != "models"}
    for old, new in corrections.get("rename", {}).items():
        models[new] = models.pop(old) | {"id": new}
    for name in corrections.get("drop", []):
        del models[name]
    for name, ours in corrections.get("model", {}).items():
        theirs = models.setdefault(name, {"id": name, "aliases": [], "prices": []})
        for key, value in ours.items():
            match key:
                case "aliases":
                    theirs["aliases"] = list(dict.fromkeys([*theirs["aliases"], *value]))
                case "not":
                    gone = {wrong.lower() for wrong in value}
                    theirs["aliases"] = [alias for alias in theirs["aliases"] if alias.lower() not in gone]
                case "unknown":
                    for field in value:
                        theirs.pop(field, None)
                case "rates":
                    theirs["prices"][0]["rates"] |= value
                case "price":
                    theirs["prices"] = [dated(price) for price in value]
                case _:
                    theirs[key] = dated(value)
    for model in models.values():
        model["aliases"] = names.needed(model)
    return provider


def dated(value):
    """TOML's dates and moments as text."""
    match value:
        case dict():
            return {key: dated(one) for key, one in value.items()}
        case datetime.datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case datetime.date():
            return value.isoformat()
    return value
