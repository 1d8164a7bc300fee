"""Old names that a file speaks of and the database does not have: most often a typing mistake.

Decides when that is worth a person's look: where values are about to leave the API, or were asked back. An
installation that skipped a version has such lines too, and then they mean nothing. Pure; used by
``actors.tenant.planning``.
"""

from collections.abc import Collection, Iterator

from schemas.compiler.findings import did_you_mean
from schemas.compiler.migrate.catalog import Table
from schemas.compiler.migrate.changes import AddColumn, ArchiveColumn, ArchiveTable, Change, CreateTable
from schemas.compiler.migrate.hazards import Hazard
from schemas.compiler.migrate.hints import Hints


def misses(changes: list[Change], hints: Hints, filled: dict[str, Table]) -> Iterator[Hazard]:
    """Yield a hazard per name that was not found.

    Args:
        changes: what ``diff`` made of the hints.
        hints: what the file asked for.
        filled: the present tables that have rows, by wanted name.
    """
    leaving: dict[str, list[str]] = {name: [] for name in filled}
    for change in changes:
        if isinstance(change, ArchiveColumn) and change.table in filled:
            leaving[change.table].append(change.column.name)
    gone = [change.table.name for change in changes if isinstance(change, ArchiveTable)]
    gone = [name for name in gone if name in filled]
    for change in changes:
        if isinstance(change, CreateTable):
            olds = hints.tables.get(change.table.name, ())
            if olds and gone:
                yield _renamed(f"entities.{change.table.name}", "entity", olds, gone)
        elif isinstance(change, AddColumn) and change.table in filled:
            name = change.column.name
            cause = f"entities.{change.table}.schema.properties.{name}"
            asked = hints.restores.get((change.table, name))
            olds = hints.columns.get((change.table, name), ())
            if asked is not None:
                message = f"there is no archived field '{asked}' in '{change.table}': '{name}' starts empty"
                known = {item.removeprefix("_arch_") for item in filled[change.table].archived}
                yield _hazard("nothing_to_restore", f"{cause}.restore_from", message, asked, known)
            elif olds and leaving[change.table]:
                yield _renamed(cause, f"field of '{change.table}'", olds, leaving[change.table])


def _renamed(cause: str, what: str, olds: tuple[str, ...], leaving: list[str]) -> Hazard:
    name = cause.rpartition(".")[2]
    message = f"there is no {what} called '{olds[0]}': '{name}' starts empty"
    return _hazard("nothing_to_rename", f"{cause}.renamed_from", message, olds[0], leaving)


def _hazard(code: str, cause: str, message: str, name: str, known: Collection[str]) -> Hazard:
    return Hazard(2, f"migration.{code}", message, cause, did_you_mean(name, known))
