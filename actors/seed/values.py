"""One value for one JSON Schema: enum, format, pattern and bounds kept, the rest believable.

Decides by the schema first and by the field's name second. References, uniqueness and rules between fields
are ``rows``'. Called by ``rows``, and by itself for what is inside JSON.
"""

import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import re2

from actors.seed import figures, moments, patterns, texts, vocabulary
from actors.seed.story import Story, slug

_TRIES = 30
_DONE_DAYS = 400
"""After so many days most things are in the last of their states."""
_NETWORKS = {"ipv4": "192.0.2.{}", "ipv6": "2001:db8::{:x}"}
"""Addresses reserved for documentation."""


class NoValueError(Exception):
    """No value can be made that the schema allows."""


def value(name: str, schema: Mapping[str, Any], story: Story) -> object:
    """Return a value for a field or property called ``name``.

    Raises:
        NoValueError: when the generator cannot meet the schema, e.g. an unusual pattern.
    """
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _word(name, [word for word in schema["enum"] if word is not None], story)
    match _type(schema):
        case "boolean":
            return story.chance.random() < _truth(name)
        case "integer" | "number":
            return figures.number(name, schema, story)
        case "array":
            return _items(name, schema, story)
        case "object":
            return _object(schema, story)
        case _:
            return _text(name, schema, story)


def skewed(chance: random.Random, words: Sequence[object], *, first: float = 1.0) -> object:
    """Return one of the words, earlier ones more often."""
    weights = [first, *(0.8**index for index in range(1, len(words)))]
    return chance.choices(words, weights)[0]


def _word(name: str, words: list[object], story: Story) -> object:
    if not words:
        raise NoValueError(name)
    for fact in (story.place.region, story.place.country, story.place.city):
        if fact in words and name.lower().rpartition("_")[2] in {"region", "country", "city", "market"}:
            return fact
    if name.lower() in {"status", "state", "phase"}:
        along = min(1.0, story.age / _DONE_DAYS) * (len(words) - 1) + story.chance.gauss(0, 0.8)
        return words[min(len(words) - 1, max(0, round(along)))]
    return skewed(story.chance, words)


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "string")
    return kind if isinstance(kind, str) else next((word for word in kind if word != "null"), "null")


def _truth(name: str) -> float:
    words = name.lower().split("_")
    if {"active", "enabled", "billable", "verified", "available", "published", "visible"} & set(words):
        return 0.88
    if {"primary", "pinned", "archived", "deleted", "blocked", "urgent", "featured", "hidden"} & set(words):
        return 0.12
    return 0.5


def _items(name: str, schema: Mapping[str, Any], story: Story) -> list[object]:
    inner = schema.get("items", {"type": "string", "maxLength": 40})
    least, most = int(schema.get("minItems", 0)), int(schema.get("maxItems", 5))
    count = min(max(least, story.chance.choice((0, 1, 1, 2, 2, 3, 4))), most)
    items: list[object] = []
    for _ in range(count * 4):
        item = value(name, inner, story)
        if len(items) < count and not (schema.get("uniqueItems") and item in items):
            items.append(item)
    if len(items) < least:
        raise NoValueError(name)
    return items


def _object(schema: Mapping[str, Any], story: Story) -> dict[str, object]:
    made = {}
    for name, inner in schema.get("properties", {}).items():
        if name in schema.get("required", ()) or story.chance.random() < 0.9:
            made[name] = value(name, inner, story)
    return made


def _text(name: str, schema: Mapping[str, Any], story: Story) -> str:
    form = str(schema.get("format", ""))
    if form not in {"", "richtext", "email", "uri", "color", "password"}:
        return _formatted(name, form, story)
    least, most = int(schema.get("minLength", 0)), int(schema.get("maxLength", 10_000))
    pattern = schema.get("pattern")
    for attempt in range(_TRIES):
        text = _candidate(name, form, story, most)
        if pattern is not None and not re2.search(pattern, text):
            text = text.lower() if attempt % 2 else _by_pattern(pattern, story)
        text = text if len(text) <= most or form in {"uri", "email", "richtext"} else _shortened(text, most)
        text = text.ljust(least, "x") if not form else text
        if least <= len(text) <= most and (pattern is None or re2.search(pattern, text)):
            return text
    raise NoValueError(name)


def _candidate(name: str, form: str, story: Story, most: int) -> str:
    match form:
        case "email":
            return texts.email(story)
        case "uri":
            return texts.url(story)
        case "color":
            return story.chance.choice(vocabulary.COLORS)
        case "richtext":
            text = texts.paragraphs(story)
            return (
                text if len(text) <= most else f"<p>{_shortened(texts.sentence(story), max(1, most - 7))}</p>"
            )
        case "password":
            return f"{slug(story.company)}-{story.chance.randint(10**9, 10**10)}"
        case _:
            text = texts.text(name, story)
            return story.place.country if most <= 3 and name.lower().endswith("country") else text


def _by_pattern(pattern: str, story: Story) -> str:
    try:
        return patterns.text_for(pattern, story.chance)
    except patterns.UnsupportedPatternError:
        return ""


def _shortened(text: str, most: int) -> str:
    if most < 12:
        return text[:most]
    cut = text[:most].rpartition(" ")[0] or text[:most]
    return cut.rstrip(" ,.;:")


def _formatted(name: str, form: str, story: Story) -> str:
    chance = story.chance
    match form:
        case "date":
            return moments.day(name, story).isoformat()
        case "date-time":
            return moments.written(moments.instant(name, story))
        case "time":
            return moments.clock(story)
        case "uuid":
            return str(uuid.UUID(int=chance.getrandbits(128), version=4))
        case "ipv4" | "ipv6":
            return _NETWORKS[form].format(chance.randint(1, 254))
        case "int4range" | "int8range" | "numrange":
            low = chance.randint(0, 50)
            return f"[{low},{low + chance.randint(1, 50)})"
        case "daterange":
            return f"[{moments.day('start', story)},{moments.day('end', story)})"
        case "tstzrange":
            return f"[{moments.written(story.moment)},{moments.written(moments.instant('end', story))})"
        case _:
            raise NoValueError(f"{name}: {form}")
