"""One property of a JSON Schema to one field: its form, and what our sibling keys say.

Decides what the server fills in and what a field is without saying so. It leaves expressions and references
to other entities to ``resolve``. Called by ``parse``.
"""

from typing import Any

from schemas.compiler.combinations import check_combinations
from schemas.compiler.drafts import FieldDraft
from schemas.compiler.findings import Findings
from schemas.compiler.forms import form_of, former_names, text_of
from schemas.compiler.grammar.quantities import bytes_of
from schemas.compiler.model import Field, Reference
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence, plain

_DECISIVE = frozenset({"type", "format", "items", "references", "computed"})


def parse_field(
    key: Scalar, node: Mapping, language: str, *, required: bool, findings: Findings
) -> FieldDraft | None:
    """Return the draft of one property; None after reporting why it is refused."""
    # without these the field would be another one, and everything that uses it would look wrong
    form = None if node.dropped & _DECISIVE else form_of(key, node, findings)
    if form is None:
        return None
    computed, default = node.get("computed"), node.get("default")
    sequence = text_of(node, "sequence")
    draft = Field(
        name=key.text,
        kind=form.type.kind,
        pg_type=form.pg_type,
        schema=form.schema,
        title=titles(node.get("title"), language),
        description=text_of(node, "description") or "",
        required=required and computed is None,
        nullable=form.nullable or not required,
        unique=_flag(node, "unique"),
        read_only=_flag(node, "readOnly") or sequence is not None or computed is not None,
        write_only=_flag(node, "writeOnly") or form.type.kind == "password",
        searchable=_flag(node, "searchable"),
        personal=_flag(node, "personal"),
        has_default=default is not None and plain(default) is not None,
        generated="sequence" if sequence is not None else "",
        virtual=computed is not None and not _flag(node, "stored"),
        sequence=sequence,
        references=_reference(node),
        renamed_from=former_names(node),
        alias_until=text_of(node, "alias_until"),
        restore_from=text_of(node, "restore_from"),
        options=_options(node),
    )
    check_combinations(key, node, draft, findings)
    return FieldDraft(draft, key, node, default, computed if isinstance(computed, Scalar) else None)


def titles(node: Node | None, language: str) -> dict[str, str]:
    """Return texts by language; a bare text is in the tenant's first language."""
    if isinstance(node, Mapping):
        return {key: str(plain(entry.value)) for key, entry in node.entries.items()}
    return {} if node is None else {language: str(plain(node))}


def _reference(node: Mapping) -> Reference | None:
    target = text_of(node, "references")
    return None if target is None else Reference(target, text_of(node, "onDelete") or "restrict")


def _options(node: Mapping) -> dict[str, Any]:
    options = {
        name: plain(value) for name in ("protected", "currency") if (value := node.get(name)) is not None
    }
    if (accept := node.get("accept")) is not None:
        options["accept"] = (
            tuple(str(plain(item)) for item in accept.items) if isinstance(accept, Sequence) else ()
        )
    if (size := node.get("maxSize")) is not None:
        options["maxSize"] = bytes_of(str(plain(size)))
    return options


def _flag(node: Mapping, key: str) -> bool:
    value = node.get(key)
    return isinstance(value, Scalar) and value.value is True
