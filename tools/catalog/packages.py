"""The packages that the price facts come from: fetching and reading them. Nothing of them is run."""

import ast
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# What a refresh takes unless told otherwise: the versions behind the committed files.
VERSIONS = {"genai-prices": "0.2.3", "litellm": "1.109.1", "llm-prices": "1.0.0"}

MANIFEST = """\
[package]
name = "facts"
version = "0.0.0"
edition = "2021"
[lib]
path = "/dev/null"
[dependencies]
{name} = "{version}"
"""


class Offline(Exception):
    """A registry does not give a package; why, in its client's words."""


# === Fetching ===


def fetch(folder, latest=False):
    """Version and path of each package, downloaded by pip and cargo (which check what they get) if not yet there."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {name: None if latest else version for name, version in VERSIONS.items()}
    wheels = {name: wheel(folder, name, wanted[name]) for name in ("genai-prices", "litellm")}
    return wheels | {"llm-prices": crate(folder, "llm-prices", wanted["llm-prices"])}


def wheel(folder, name, version):
    pattern = f"{name.replace('-', '_')}-{version or '*'}-*.whl"
    there = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not there or not version:
        asked = f"{name}=={version}" if version else name
        run(name, [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", folder, asked])
        there = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    path = there[-1]
    return path.name.split("-")[1], path


def crate(folder, name, version):
    there = sorted(folder.glob(f"{name}-{version or '*'}"))
    if not there or not version:
        with tempfile.TemporaryDirectory() as project:
            manifest = Path(project, "Cargo.toml")
            manifest.write_text(MANIFEST.format(name=name, version=f"={version}" if version else "*"))
            vendored = Path(project, "vendor")
            run(name, ["cargo", "vendor", "--versioned-dirs", "--manifest-path", manifest, vendored])
            found = next(vendored.glob(f"{name}-*"))
            kept = folder / found.name
            kept.mkdir(exist_ok=True)
            for file in ("prices.json", "LICENSE"):
                kept.joinpath(file).write_bytes(found.joinpath(file).read_bytes())
            there = [kept]
    return there[-1].name.removeprefix(f"{name}-"), there[-1] / "prices.json"


def run(name, command):
    """Runs a registry's client, whose progress the user sees."""
    print(f"fetching {name}", file=sys.stderr, flush=True)
    try:
        done = subprocess.run([str(part) for part in command], stdout=sys.stderr, check=False)
    except FileNotFoundError as missing:
        raise Offline(f"{missing.filename} is not installed; it fetches {name}") from missing
    if done.returncode:
        raise Offline(f"{name} cannot be fetched")


# === Reading ===


def genai(path):
    """The providers of genai-prices as plain values; a call `Name(a=1)` becomes `{"is": "Name", "a": 1}`."""
    with zipfile.ZipFile(path) as wheel:
        tree = ast.parse(wheel.read("genai_prices/data.py"))
    for statement in tree.body:
        if isinstance(statement, ast.AnnAssign) and statement.target.id == "providers":
            return [_value(provider) for provider in statement.value.elts]
    raise SystemExit(f"{Path(path).name} has no list of providers; its layout has changed")


def _value(node):
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {_value(key): _value(value) for key, value in zip(keys, values)}
        case ast.Call(func=function, args=args, keywords=keywords):
            name = function.attr if isinstance(function, ast.Attribute) else function.id
            if name == "Decimal":
                return args[0].value
            if name == "date":
                return "{:04}-{:02}-{:02}".format(*(arg.value for arg in args))
            if name == "time":
                hour, minute, *_ = [arg.value for arg in args] + [0]
                return f"{hour:02}:{minute:02}"
            return {"is": name} | {keyword.arg: _value(keyword.value) for keyword in keywords}
        case ast.Attribute(attr=name):
            return name
    raise SystemExit(f"genai-prices: cannot read {ast.unparse(node)[:80]}; its layout has changed")


def litellm(path):
    """The models of litellm: its names, and what is known of each."""
    with zipfile.ZipFile(path) as wheel:
        return json.loads(wheel.read("litellm/model_prices_and_context_window_backup.json"))


def llm_prices(path):
    """The models of llm-prices, each with the day on which the provider's page was read."""
    return json.loads(path.read_text())["models"]
