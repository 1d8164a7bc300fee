"""A tenant whose labels and values are PAYLOADS: its file with the Python beside it, and its rows."""

import itertools
import re
from typing import Any

from tests.browser.payloads import PAYLOADS

ALL = " ".join(PAYLOADS)
_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\s\x00-\x20<>\"{}|\\^`\x7f-\U0010ffff]+")


def _quoted(text: str) -> str:
    """A text of a YAML file, whatever is in it."""
    return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else f"\\U{ord(c):08X}" for c in text) + '"'


CODE = f"""TEXTS = {ALL!r}

def say(args, ctx):
    print(TEXTS)
    return {{TEXTS: [TEXTS]}}

def fail(args, ctx):
    raise ValueError(TEXTS)
"""
"""What the Python file beside it says, and how it fails."""

_TEXT = """version: 1  # {comment}
service: { name: hostile, title: {all} }
branding: { color: "#7C3AED", name: {all} }
auth: { signup: open, confirm: off, default_role: member }
roles: { member: { title: {some} }, lead: { title: {some}, inherits: [member] }, admin: { title: {some}, inherits: [lead] } }
entities:
  makers:
    title: {some}
    description: {some}
    label: name
    schema: { properties: { name: { type: string, maxLength: 400, title: {some}, description: {some}, searchable: true } } }
    access: { read: [ { role: member } ], write: [ { role: member } ] }
    views: { list: { title: {some}, columns: [name] }, board: { title: {some}, group_by: name } }
  shelves: { title: {some}, description: {some}, schema: { properties: {} }, access: { read: [ { role: member } ] } }
  lamps: { title: {some}, description: {some}, schema: { properties: {} }, access: { read: [ { role: member } ] } }
  wares:
    title: {some}
    description: {some}
    label: name
    history: true
    schema:
      required: [name]
      properties:
        name: { type: string, maxLength: 400, title: {some}, description: {some}, searchable: true }
        story: { type: string, maxLength: 20000, title: {some}, description: {some}, searchable: true }
        notes: { type: string, format: richtext, maxLength: 20000, title: {some}, description: {some} }
        maker_id: { references: makers, title: {some}, description: {some} }
        mood: { type: string, enum: [{each}], title: {some}, description: {some} }
        state: { type: string, enum: [draft, review, gone, back], default: draft, title: {some} }
        due_on: { type: string, format: date, default: today(), title: {some} }
        price: { type: number, minimum: 0, title: {some}, description: {some} }
        link: { type: string, format: uri, maxLength: 400, title: {some}, description: {some} }
        labels: { type: array, maxItems: 5, items: { type: string, maxLength: 400 }, title: {some} }
        size: { type: object, title: {some}, description: {some}, properties: { unit: { type: string, title: {some}, description: {some} } } }
        parts: { type: array, maxItems: 300, title: {some}, items: { type: object, properties: { name: { type: string, title: {some} } } } }
        bag: { type: object, title: {some}, additionalProperties: true }
        photo: { type: string, format: file, title: {some}, description: {some} }
    rules: [ { rule: "!has(self.price) || self.price < 1000.0", message: {all}, fieldPath: .price } ]
    access: { read: [ { role: member, aggregate: true } ], write: [ { role: member } ], delete: [ { role: member } ] }
    workflow:
      field: state
      states: { draft: { title: {some}, color: "#64748B" }, review: { title: {some} }, gone: { title: {some} }, back: { title: {some} } }
      transitions:
        hand_in: { from: draft, to: review, title: {some}, comment: required }
        take_back: { from: review, to: draft, title: {some}, allow_self: false }
        lose: { from: draft, to: gone, title: {some} }
        find: { from: draft, to: back, title: {some} }
    views:
      list: { title: {some}, columns: [name, story, mood, state, link, labels, maker.name], filters: [mood], sort: created_at }
      board: { title: {some}, group_by: state, card: [name, story, mood, link, labels] }
      calendar: { title: {some}, start: due_on, label: name, color_by: mood }
      form:
        title: {some}
        sections:
          - { title: {some}, fields: [name, mood], columns: 2 }
          - { title: {some}, fields: [story] }
          - { title: {some}, fields: [price] }
          - { title: {some}, fields: [link] }
        fields: { name: { help: {some}, placeholder: {some} }, notes: { placeholder: {some} }, story: { help: {some}, placeholder: {some} }, link: { help: {some}, placeholder: {some} }, price: { help: {some} } }
dashboards:
  first:
    title: {some}
    widgets:
      - { type: metric, title: {some}, entity: wares }
      - { type: bar, title: {some}, entity: wares, value: count(), by: mood, limit: 40 }
      - { type: pie, title: {some}, entity: wares, value: count(), by: name, limit: 40 }
      - { type: line, title: {some}, entity: wares, value: count(), by: due_on }
      - { type: table, title: {some}, entity: wares, columns: [name, story, link], limit: 300 }
      - { type: list, title: {some}, entity: wares, columns: [name, mood], limit: 40 }
  second: { title: {some}, widgets: [ { type: metric, title: {some}, entity: makers } ] }
  third: { title: {some}, widgets: [ { type: metric, title: {some}, entity: makers } ] }
  fourth: { title: {some}, widgets: [ { type: metric, title: {some}, entity: makers } ] }
functions:
  say: { trigger: rpc, roles: [member], args: { properties: { word: { type: string, title: {some}, description: {some} } } } }
  fail: { trigger: rpc, roles: [member] }
  always: { trigger: schedule, schedule: "0 3 1 1 *", function: fail, retries: 0 }
webhooks:
  told: { url: {hook}, events: [makers.updated], headers: { X-Told: {header} }, retries: 0 }
reports:
  sums: { title: {some}, entity: wares, params: { least: { type: string, title: {some}, description: {some} } }, filter: "name=gte.{least}", group_by: mood, columns: [count()] }
"""


def fitting(most: int) -> str:
    """As many payloads as a short text has room for; the shortest come first."""
    text = ""
    for each in sorted(PAYLOADS, key=len):
        if len(text) + len(each) < most:
            text += f"{each} "
    return text.strip()


def printed(text: str) -> str:
    """What of a text can stand in a comment or a header."""
    return "".join(c for c in text if " " <= c <= "~")


def file(hook: str) -> str:
    """The tenant's file: labels in turn have a quarter of the payloads each, those there is one of have them all.

    Args:
        hook: the address its webhook goes to, up to the path.
    """
    quarters = [_quoted(" ".join(PAYLOADS[at::4])) for at in range(4)]
    turn = itertools.cycle(quarters)
    each = ", ".join(map(_quoted, PAYLOADS))
    address = re.sub(r"[\s\\]", "/", printed(ALL))
    text = re.sub(r"\{some\}", lambda _: next(turn), _TEXT)
    for name, said in {
        "comment": printed(ALL),
        "all": _quoted(ALL),
        "each": each,
        "hook": _quoted(f"{hook}/{address[:1500]}"),
        "header": _quoted(printed(ALL)[:900]),
    }.items():
        text = text.replace(f"{{{name}}}", said)
    return text


def rows(maker: str) -> list[dict[str, Any]]:
    """A row per payload with it in every value; and before them one that has them all."""
    whole = {
        "name": PAYLOADS[0], "story": PAYLOADS[0], "notes": "\n\n".join(PAYLOADS), "mood": PAYLOADS[0], "maker_id": maker, "link": None,
        "labels": PAYLOADS[:5], "size": {"unit": PAYLOADS[0]}, "parts": [{"name": each} for each in PAYLOADS[::10]], "bag": {each: each for each in PAYLOADS},
    }  # fmt: skip
    single = [
        {
            "name": each, "story": each, "notes": each, "mood": each, "maker_id": maker, "link": each if _ADDRESS.fullmatch(each) else None,
            "labels": [each], "size": {"unit": each}, "parts": [{"name": each}], "bag": {each: each},
        }
        for each in PAYLOADS
    ]  # fmt: skip
    return [whole, *single]
