"""From patterns that match names to the names themselves: the catalog knows no patterns but a date's digits."""

import re

# Providers as litellm calls them.
LITELLM = {
    "anthropic": ["anthropic"],
    "aws": ["bedrock_converse", "bedrock", "bedrock_mantle"],
    "azure": ["azure", "azure_text"],
    "cerebras": ["cerebras"],
    "cohere": ["cohere", "cohere_chat"],
    "deepseek": ["deepseek"],
    "fireworks": ["fireworks_ai", "fireworks_ai-embedding-models"],
    "google": [
        "gemini", "vertex_ai", "vertex_ai-language-models", "vertex_ai-vision-models",
        "vertex_ai-embedding-models", "vertex_ai-anthropic_models",
    ],
    "groq": ["groq"],
    "minimax": ["minimax"],
    "mistral": ["mistral"],
    "moonshotai": ["moonshot"],
    "openai": ["openai", "text-completion-openai"],
    "openrouter": ["openrouter"],
    "perplexity": ["perplexity"],
    "together": ["together_ai"],
    "voyageai": ["voyage"],
    "x-ai": ["xai"],
    "zai": ["zai"],
}

# What stands before the name of a Bedrock model and says where it runs.
BEDROCK_REGIONS = ["us", "us-gov", "eu", "apac", "au", "ca", "jp", "in", "sa", "global"]

_DATE = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8})$")


def undated(name):
    return _DATE.sub("", name)


def owner(models, name):
    """The id of the model that genai-prices finds for a name."""
    name = name.lower()
    return next((model["id"] for model in models if matches(model["match"], name)), None)


def of_litellm(provider, models):
    """litellm's names of a provider's models, as a client sends them, with what it knows of each."""
    known = {}
    theirs = LITELLM[provider]
    listed = [(key, facts) for key, facts in models.items() if facts.get("litellm_provider") in theirs]
    # The first of its provider's names in the list above is the one whose limits hold.
    for key, facts in sorted(listed, key=lambda entry: theirs.index(entry[1]["litellm_provider"])):
        if "commitment" in key:
            continue
        name = key
        if provider == "aws":
            name = plain_bedrock(key.rsplit("/", 1)[1] if "/" in key else key)
        elif "/" in key and key.split("/", 1)[0] in PREFIXES:
            name = key.split("/", 1)[1]
        if name.endswith(("@default", "@latest")):
            name = name.split("@")[0]
        known.setdefault(name.lower(), facts)
    return known


PREFIXES = {
    "azure", "cerebras", "cohere", "cohere_chat", "deepseek", "fireworks_ai", "gemini", "groq", "minimax", "mistral",
    "moonshot", "openai", "openrouter", "perplexity", "together_ai", "vertex_ai", "voyage", "xai", "zai",
}


def plain_bedrock(name):
    """A Bedrock id without the region before it; `regional.` is genai-prices' own word."""
    head, dot, rest = name.partition(".")
    return rest if dot and head in [*BEDROCK_REGIONS, "regional"] else name


def matches(clause, name):
    """Whether a clause of genai-prices matches a name in lower case."""
    match clause["is"]:
        case "ClauseEquals":
            return name == clause["equals"].lower()
        case "ClauseStartsWith":
            return name.startswith(clause["starts_with"].lower())
        case "ClauseEndsWith":
            return name.endswith(clause["ends_with"].lower())
        case "ClauseContains":
            return clause["contains"].lower() in name
        case "ClauseRegex":
            return re.search(clause["regex"], name) is not None
        case "ClauseOr":
            return any(matches(one, name) for one in clause["or_"])
        case "ClauseAnd":
            return all(matches(one, name) for one in clause["and_"])
    raise SystemExit(f"genai-prices: unknown clause {clause['is']}; its layout has changed")


def spelled_out(clause):
    """The texts that a clause compares with, and whether more may follow each."""
    match clause["is"]:
        case "ClauseEquals":
            return [(clause["equals"], False)]
        case "ClauseStartsWith":
            return [(clause["starts_with"], True)]
        case "ClauseContains":
            return [(clause["contains"], True)]
        case "ClauseOr":
            return [text for one in clause["or_"] for text in spelled_out(one)]
    return []


def aliases(provider, models, listed):
    """Every model's other names, by id; `models` in the order in which genai-prices tries them.

    `listed` are names that others list: those that a pattern matches and no rule finds become aliases.
    """
    taken = {own_name(provider, model["id"]).lower() for model in models}
    names = {}
    for model in models:
        mine = names.setdefault(model["id"], [])
        for name in unversioned(own_name(provider, model["id"])) if provider == "aws" else []:
            if name.lower() not in taken:
                taken.add(name.lower())
                mine.append(name)
        for text, is_open in spelled_out(model["match"]):
            for name in candidates(provider, text, is_open):
                if usable(provider, model, name) and name.lower() not in taken:
                    literal = name.replace("#", "1")
                    if owner(models, literal) in (None, model["id"]) or provider == "aws":
                        taken.add(name.lower())
                        mine.append(name)
    for name in sorted(listed):
        found = owner(models, name)
        if found is None and provider == "aws":
            found = owner(models, f"us.{name}")
        if found and not {name, undated(name)} & taken and usable(provider, {"id": found}, name):
            taken.add(name)
            names[found].append(name)
    return names


def candidates(provider, text, is_open):
    """The names that a text of a pattern stands for."""
    text = text.rsplit("/", 1)[1] if provider == "aws" and "/" in text else text
    if provider == "aws":
        text = plain_bedrock(text)
    if provider == "fireworks":
        text = text.rsplit("/models/", 1)[-1]
    if not is_open:
        return [undated(text)] if provider == "aws" else [text]
    # `model-4-2025`, `model-0`, `model-`, `model@`: all open the list of the dated ones.
    base = re.sub(r"([-@]|[-@]20\d\d-?|-0)$", "", text)
    if provider == "aws":
        if re.search(r"-v\d+$", base):
            return [base, f"{base}:0"]
        return [base] if re.search(r"-v\d", base) else [base, f"{base}-v1", f"{base}-v1:0"]
    if provider == "google" and base.startswith("gemini"):
        return [base, f"{base}-###"]
    if provider in ("mistral", "moonshotai", "x-ai"):
        return [base, f"{base}-####", f"{base}-latest"]
    if provider == "deepseek":
        return [base, f"{base}-####"]
    return [base]


def needed(model):
    """A model's aliases without those that a rule of the catalog finds."""
    aliases = dict.fromkeys(alias for alias in model["aliases"] if alias.lower() != model["id"].lower())
    return [alias for alias in aliases if not any(covers(other, alias) for other in aliases if other != alias)]


def covers(open_name, name):
    """Whether `name` is `open_name` with digits for its `#`."""
    pattern = re.escape(open_name).replace(re.escape("#"), "[0-9]")
    return "#" in open_name and re.fullmatch(pattern, name) is not None


def usable(provider, model, name):
    """Whether it is a name, and none that would price a fine-tuned model as its base."""
    own = own_name(provider, model["id"]).lower()
    if len(name) < 3 or name.lower() == own or (name.startswith("ft:") and not own.startswith("ft:")):
        return False
    return undated(name).lower() != own or undated(name) == name


def unversioned(name):
    """A Bedrock id without the parts of its version, one by one: `m-v1:0` is also `m-v1` and `m`."""
    shorter = [re.sub(r":\d+$", "", name), re.sub(r"-v\d+(:\d+)?$", "", name)]
    return [short for short in dict.fromkeys(shorter) if short != name]


def own_name(provider, name):
    return plain_bedrock(name) if provider == "aws" else name
