"""Two catalogs and the renames to changes, in the order they must happen. Pure; costs nothing but time.

A removed table becomes an archive change, never a drop; what a table that stays needs is ``table_diff``'s.
"""

from schemas.compiler.migrate.catalog import Catalog, Table
from schemas.compiler.migrate.changes import ArchiveTable, Change, CreateTable, RenameTable, RestoreTable
from schemas.compiler.migrate.hints import Hints, renames
from schemas.compiler.migrate.table_diff import TableDifference


def diff(current: Catalog, wanted: Catalog, hints: Hints, archive: Catalog | None = None) -> list[Change]:
    """Return what leads from ``current`` to ``wanted``.

    Args:
        current: what the database has.
        wanted: what the file asks for.
        hints: renames and restores.
        archive: the archived tables, needed when ``hints.tables_restored`` names one.
    """
    origin: dict[str, Table] = {}
    changes: list[Change] = []
    asked = {name: olds for name, olds in hints.tables.items() if name in wanted.tables}
    moved = renames(asked, current.tables, replace=hints.replace)
    for name in wanted.tables:
        restored = hints.tables_restored.get(name)
        was = moved.get(name)
        if name in hints.rebuilt:
            continue
        if restored is not None and archive is not None and restored in archive.tables:
            changes.append(RestoreTable(name, restored))
            origin[name] = archive.tables[restored]
        elif was is not None:
            changes.append(RenameTable(was, name))
            origin[name] = current.tables[was]
        elif name in current.tables and name not in moved.values():
            origin[name] = current.tables[name]
    kept = {table.name for table in origin.values()}
    for name, table in current.tables.items():
        if name not in kept:
            changes.append(ArchiveTable(table, replaced=name in wanted.tables))
    names = {table.name: name for name, table in origin.items()}
    for name, table in wanted.tables.items():
        if name in origin:
            changes += TableDifference(name, origin[name], table, hints, names).changes()
        else:
            changes.append(CreateTable(table))
    return changes
