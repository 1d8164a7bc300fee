"""Built-in functions that write: fields of the row, other rows, names made of other fields."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from actors.features.functions.built_in.context import Context
from actors.features.functions.calls import Row

SLUG_LENGTH = 80
_TRIES = 50
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ä": "ae", "ö": "oe", "ü": "ue"}
)


async def set_fields(context: Context, record: Row, config: Mapping[str, Any]) -> Row:
    """Set fields of the row."""
    del record
    if context.call.origin.startswith("before_") or context.call.record is None:
        return dict(config)
    entity = context.generation.model.entities[context.call.entity]
    await context.data.update(entity.name, str(context.call.record[entity.key]), dict(config))
    return {}


async def create_record(context: Context, record: Row, config: Mapping[str, Any]) -> None:
    """Create a row of an entity."""
    del record
    await context.data.create(str(config["entity"]), dict(config["values"]))


async def generate_slug(context: Context, record: Row, config: Mapping[str, Any]) -> Row:
    """Make a URL-safe name from another field, unless the row has one."""
    target = context.call.fields[0] if context.call.fields else "slug"
    if record.get(target):
        return {}
    length = int(config.get("max_length", SLUG_LENGTH))
    slug = slug_of(str(record.get(str(config["from"])) or ""), length) or "n"
    if config.get("unique", True) is False:
        return {target: slug}
    for number in range(1, _TRIES):
        tail = f"-{number}" if number > 1 else ""
        found = slug[: length - len(tail)] + tail
        value = (context.call.entity, target, found)
        if value not in context.data.taken and not await context.data.count(value[0], {target: found}):
            context.data.taken.add(value)
            return {target: found}
    return {target: f"{slug[: length - 9]}-{context.call.request_id[-8:]}"}


def slug_of(text: str, length: int) -> str:
    """Return a text as lower-case ASCII letters, digits and single dashes."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS)).encode("ascii", "ignore").decode()
    return _NOT_SLUG.sub("-", plain).strip("-")[:length].rstrip("-")
