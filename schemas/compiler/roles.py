"""Roles: declared and built in, and what each includes.

Decides that roles never inherit in a circle. Called by ``parse``, and where it is decided who asks.
"""

from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from collections.abc import Set as AbstractSet

from schemas.compiler.findings import Findings, did_you_mean
from schemas.compiler.model import Role
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence, plain
from schemas.compiler.principal import ADMIN_ROLE, ANONYMOUS_ROLE, AUTHENTICATED_ROLE

BUILT_IN_ROLES = (ANONYMOUS_ROLE, AUTHENTICATED_ROLE, ADMIN_ROLE)


def parse_roles(written: Iterable[tuple[Scalar, Mapping]], findings: Findings) -> dict[str, Role]:
    """Return declared and built-in roles with what each includes."""
    inherits: dict[str, tuple[str, ...]] = dict.fromkeys(BUILT_IN_ROLES, ())
    places: dict[str, Scalar] = {}
    parents: dict[tuple[str, str], Node] = {}
    for key, node in written:
        listed = node.get("inherits")
        items = listed.items if isinstance(listed, Sequence) else []
        inherits[key.text] = tuple(str(plain(item)) for item in items)
        places[key.text] = key
        parents.update({(key.text, str(plain(item))): item for item in items})
    roles: dict[str, Role] = {}
    for name, direct in inherits.items():
        for parent in direct:
            if parent not in inherits:
                hint = did_you_mean(parent, inherits)
                findings.error(
                    "reference.unknown_role", f"there is no role '{parent}'", parents[name, parent], hint
                )
        includes, circle = _closure(name, inherits)
        if circle:
            findings.error("roles.cycle", f"roles inherit in a circle: {' -> '.join(circle)}", places[name])
        roles[name] = Role(name, direct, frozenset(includes))
    return roles


def with_included(roles: MappingType[str, Role], names: AbstractSet[str]) -> frozenset[str]:
    """Return roles with those they include; names that are no role of the tenant stay."""
    return frozenset(names).union(*(roles[name].includes for name in names if name in roles))


def _closure(name: str, inherits: dict[str, tuple[str, ...]]) -> tuple[set[str], tuple[str, ...]]:
    """Return the roles a role includes, and the circle it is part of, if any."""
    includes = {name}
    circle: tuple[str, ...] = ()
    waiting = [(name, parent) for parent in inherits[name]]
    came_from: dict[str, str] = {}
    while waiting:
        child, role = waiting.pop()
        if role == name:
            path = [name]
            while child != name:
                path.append(child)
                child = came_from[child]
            circle = (name, *reversed(path[1:]), name)
        elif role in inherits and role not in includes:
            includes.add(role)
            came_from[role] = child
            waiting.extend((role, parent) for parent in inherits[role])
    return includes, circle
