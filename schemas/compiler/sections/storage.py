"""``storage``: buckets for files that belong to no row, and who may do what with the objects in them.

Decides that a bucket without ``access`` is for admins, and that a condition for changing an object holds for
what it becomes, too. The objects are rows of the entity ``storage_objects``, which a file with this section
gets; the buckets' entries become that entity's ``access``, each narrowed to its bucket, so that objects obey
the same rules in the same SQL as every row.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from typing_extensions import override

from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.quantities import SIZE, bytes_of
from schemas.compiler.grammar.scalars import BOOLEAN, Text
from schemas.compiler.nodes import Entry, Mapping, Node, Scalar, Sequence, pairs, plain
from schemas.compiler.scope import Scope
from schemas.compiler.sections.access import ACCESS

OBJECTS = "storage_objects"
STORAGE_OBJECTS = """
title: { en: Stored objects }
label: path
schema:
  required: [bucket_id, path]
  properties:
    bucket_id: { type: string, maxLength: 100, title: Bucket }
    path: { type: string, maxLength: 1024, searchable: true }
    file: { type: string, format: file }
    size: { type: integer }
    media_type: { type: string, maxLength: 200 }
    owner_id: { type: string, maxLength: 200, description: Who uploaded it. }
    max_age: { type: integer, description: Seconds a client may keep it. }
    metadata: { type: object, additionalProperties: true }
constraints: [ { unique: [bucket_id, path] } ]
access:
  read: [ { role: admin } ]
  create: [ { role: admin } ]
  update: [ { role: admin } ]
  delete: [ { role: admin } ]
"""
_VERBS = {"read": ("rule",), "create": ("check",), "update": ("rule", "check"), "delete": ("rule",)}


class Bucket(Struct, frozen=True):
    """A bucket.

    Attributes:
        public: everybody may download from it, by its public addresses.
        accept: media types; none: all.
        max_size: bytes of its largest object, None: as the installation says.
    """

    name: str
    public: bool = False
    accept: tuple[str, ...] = ()
    max_size: int | None = None


class BucketRecord(Record):
    """Builds all of a bucket but ``access``, which is the entity's."""

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, Any]:
        named = node if isinstance(node, Mapping) else Mapping({}, 1, 1)
        size, public = named.get("maxSize"), named.get("public")
        accept = named.get("accept")
        return {
            "public": isinstance(public, Scalar) and public.value is True,
            "accept": tuple(str(plain(item)) for item in accept.items)
            if isinstance(accept, Sequence)
            else (),
            "max_size": bytes_of(str(plain(size))) if size is not None else None,
        }


class BucketsRecord(Keyed):
    """Buckets by name."""

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, Bucket]:
        values: dict[str, Any] = super().build(node, scope)
        return {name: Bucket(name, **value) for name, value in values.items()}


BUCKET = BucketRecord(
    "bucket",
    "A place for files that belong to no row.",
    {
        "public": Key(BOOLEAN, "Everybody may download from it, by public addresses."),
        "accept": Key(
            Many(
                Text("a media type", pattern=r"[a-z]+/(\*|[a-z0-9.+\-]+)", examples=("image/*",)),
                "media types", least=1, most=50, single=True,
            ),
            "Media types an object may have.",
        ),
        "maxSize": Key(SIZE, "Largest object.", examples=("5MiB",)),
        "access": Key(
            ACCESS,
            "Who may do what with its objects (path, owner_id, size, media_type); admins always may.",
        ),
    },
)  # fmt: skip
STORAGE = Record(
    "storage",
    "Files for supabase-js' storage API; storage: {} is enough for buckets that admins make.",
    {
        "buckets": Key(
            BucketsRecord(
                "bucket", BUCKET, pattern=r"[a-z0-9][a-z0-9._-]{0,99}", says="small letters, digits, . _ -",
                most=100,
            ),
            "Buckets by name.",
        ),
    },
)  # fmt: skip


def has_storage(root: Mapping) -> bool:
    """Whether a file has the section."""
    return root.get("storage") is not None


def with_access(entity: Mapping, root: Mapping) -> Mapping:
    """Return the entity of objects with what the buckets of a file say about access."""
    storage = root.get("storage")
    written = storage.get("buckets") if isinstance(storage, Mapping) else None
    access = entity.get("access")
    if not isinstance(access, Mapping):
        return entity
    verbs = {verb: list(_items(access.get(verb))) for verb in _VERBS}
    for name, bucket in pairs(written):
        said = bucket.get("access") if isinstance(bucket, Mapping) else None
        for verb, entry in pairs(said):
            for one in _items(entry):
                if verb.text in {"create", "write"}:
                    verbs["create"].append(_narrowed(_checked(one, keep=False), name, "create"))
                if verb.text in {"update", "write"}:
                    verbs["update"].append(_narrowed(_checked(one, keep=True), name, "update"))
                if verb.text in {"read", "delete"}:
                    verbs[verb.text].append(_narrowed(one, name, verb.text))
    entries = {
        verb: Entry(access.entries[verb].key, Sequence(found, access.line, access.column))
        for verb, found in verbs.items()
    }
    whole = Mapping(entries, access.line, access.column)
    return replace(entity, entries={**entity.entries, "access": Entry(entity.entries["access"].key, whole)})


def _items(node: Node | None) -> Iterator[Node]:
    yield from node.items if isinstance(node, Sequence) else () if node is None else (node,)


def _checked(entry: Node, *, keep: bool) -> Node:
    """Return an entry whose condition holds for the object as it becomes; as it was, if that is kept."""
    if not isinstance(entry, Mapping):
        return entry
    found = {name: one for name, one in entry.entries.items() if keep or name != "rule"}
    if "check" not in found and "rule" in entry.entries:
        found["check"] = entry.entries["rule"]
    return replace(entry, entries=found)


def _narrowed(entry: Node, bucket: Scalar, verb: str) -> Node:
    """Return an entry that holds in one bucket only; what it says stays where it stands in the file."""
    if isinstance(entry, Scalar):
        role = replace(entry, value="role", text="role")
        entry = Mapping({"role": Entry(role, entry)}, entry.line, entry.column)
    if not isinstance(entry, Mapping):
        return entry
    found = dict(entry.entries)
    for condition in _VERBS[verb]:
        here = f"self.bucket_id == '{bucket.text}'"
        given = found.get(condition)
        place = given.value if given is not None and isinstance(given.value, Scalar) else bucket
        text = here if given is None else f"{here} && ({place.text})"
        key = replace(bucket, value=condition, text=condition)
        found[condition] = Entry(key, replace(place, value=text, text=text))
    return replace(entry, entries=found)
