"""Answers of the simulated model: no knowledge, only the input turned into the shape that was asked for."""

import json
import re
from typing import Any

Json = dict[str, Any]
_TEXT_MAX = 400
_ITEMS = 2


def gist(given: Any) -> str:
    """Return what an answer will be about: the latest question, and what tools said since, as words."""
    if isinstance(given, str):
        return _flat(given)
    asked: str = ""
    found: list[str] = []
    for item in given if isinstance(given, list) else []:
        if item.get("role") == "user":
            asked, found = _flat(str(item.get("content") or "")), []
        elif item.get("type") == "function_call_output":
            found.append(_flat(str(item.get("output") or "")))
    return " ".join([asked, *found])


def _flat(text: str) -> str:
    """Return a text without marks of data, and JSON in it as words."""
    text = re.sub(r"</?data>", " ", text).strip()
    try:
        return _spoken(json.loads(text)) if text[:1] in ("{", "[") else text
    except ValueError:
        return text


def _spoken(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_spoken(part)}" for name, part in value.items() if part)
    if isinstance(value, list):
        return "; ".join(_spoken(part) for part in value)
    return str(value)


def in_words(prompt: str) -> str:
    """Return a sentence that shows what was asked."""
    asked = _clean(prompt)
    return f"Here is what I found about: {asked}" if asked else "There was nothing to answer."


def wanted_tools(tools: list[Json], given: Any) -> list[str]:
    """Return the tools whose names share a word with the latest question and that were not called since."""
    items = given if isinstance(given, list) else [{"role": "user", "content": given}]
    asked, called = "", set[object]()
    for item in items:
        if item.get("role") == "user":
            asked, called = str(item.get("content") or ""), set()
        elif item.get("type") == "function_call":
            called.add(item.get("name"))
    words = {word.rstrip("s") for word in re.findall(r"[a-z]{4,}", asked.casefold())}
    return [
        name
        for name in (str(tool.get("name")) for tool in tools if tool.get("type") == "function")
        if name not in called and words & {part.rstrip("s") for part in name.split("_")}
    ]


def by_schema(schema: Json, prompt: str, digest: bytes, path: str = "") -> Any:
    """
    Return a value that is valid by a JSON schema: objects with all their properties, lists of two, the first or a
    digest-chosen value of an enum, texts that name the field and quote the input.
    """
    if "enum" in schema:
        return schema["enum"][_pick(digest, path, len(schema["enum"]))]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return by_schema(schema["anyOf"][0], prompt, digest, path)
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        parts = schema.get("properties", {})
        return {name: by_schema(part, prompt, digest, f"{path}.{name}") for name, part in parts.items()}
    if kind == "array":
        count = max(int(schema.get("minItems", 1)), min(int(schema.get("maxItems", _ITEMS)), _ITEMS))
        return [by_schema(schema.get("items", {}), prompt, digest, f"{path}[{n}]") for n in range(count)]
    return _plain(kind, schema, prompt, digest, path)


def _plain(kind: str, schema: Json, prompt: str, digest: bytes, path: str) -> Any:
    low, high = schema.get("minimum", 0), schema.get("maximum", 10)
    if kind == "integer":
        return int(low) + _pick(digest, path, int(high) - int(low) + 1)
    if kind == "number":
        return float(low) + (float(high) - float(low)) * _pick(digest, path, 101) / 100
    if kind == "boolean":
        return bool(_pick(digest, path, 2))
    if kind == "null":
        return None
    name = path.rpartition(".")[2].replace("_", " ") or "answer"
    text = f"{name.capitalize()}: {_clean(prompt)}"
    return text[: int(schema.get("maxLength", 2 * _TEXT_MAX))]


def _pick(digest: bytes, path: str, count: int) -> int:
    return (digest[0] + digest[1] * 256 + sum(path.encode())) % max(count, 1)


def _clean(prompt: str) -> str:
    text = re.sub(r"\s+", " ", prompt).strip()
    return text if len(text) <= _TEXT_MAX else text[:_TEXT_MAX].rpartition(" ")[0]
