"""Which fields a rule of a row is about: a change of others leaves a row as right or wrong as it was.

Decides that a rule binds whoever changes what it is about, not whoever finds an old row that breaks a newer
rule (Kubernetes calls it ratcheting). Pure; used by ``write_sql`` and by those who judge in process.
"""

from schemas.compiler.model import Entity, Rule


def watched(entity: Entity, rule: Rule) -> frozenset[str]:
    """Return the columns of the row that decide about a rule; none: it is judged at every write."""
    if rule.rule.uses_old:  # also one that binds new rows, by optionalOldSelf
        return frozenset()
    names = set(rule.rule.names)
    for name in rule.rule.names:
        field = entity.fields.get(name)
        if field is not None and field.computed is not None:
            names |= field.computed.names
    return frozenset(name for name in names if name in entity.fields and not entity.fields[name].virtual)
