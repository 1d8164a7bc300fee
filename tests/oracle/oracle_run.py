"""One request through the compiler and PostgreSQL, and the same through the naive model: do they agree?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from schemas.compiler.compile import compile_source
from schemas.compiler.model import TenantModel
from schemas.compiler.principal import Principal
from schemas.compiler.query.compiler import QueryCompiler
from schemas.compiler.query.errors import QueryError
from tests.oracle.oracle_model import Bag, Naive, Refused, Tables, Undetermined
from tests.oracle.oracle_queries import Ask, Embed, Group, Item, Test
from tests.oracle.oracle_schema import Doc
from tests.oracle.oracle_writes import write
from tests.query.kit import CLUSTER, Tenant

ROW_REFUSALS = frozenset({"BS403", "23505", "23503", "23001", "21000"})
"""What the database may refuse: rows out of reach, keys, and to change a row twice."""


@dataclass(frozen=True)
class Case:
    """One request of one caller under one access section."""

    document: Doc
    caller: Principal
    ask: Ask


@dataclass
class Bench:
    """A tenant with its rows; access sections are swapped without touching the tables."""

    tenant: Tenant
    tables: Tables
    _text: str = ""
    _model: TenantModel | None = None
    undetermined: int = 0
    refused: int = 0

    def _under(self, document: Doc) -> TenantModel:
        text = json.dumps(document)
        if self._model is None or text != self._text:
            self._text, self._model = text, compile_source(text, "oracle")
            queries = QueryCompiler(self._model, self.tenant.identity.namespace, cursor_key=CLUSTER)
            self.tenant = Tenant(queries, self.tenant.own, self.tenant.identity, self.tenant.caller)
        return self._model

    async def difference(self, case: Case) -> str | None:
        """What the two answers differ in; None when they agree."""
        model = self._under(case.document)
        try:
            wanted: Any = expected(Naive(model, self.tables, case.caller), case.ask)
        except Refused as refusal:
            wanted = refusal
            self.refused += 1
        except Undetermined:
            self.undetermined += 1
            return None
        try:
            got: Any = await self._asked(case)
        except QueryError as error:
            got = error
        except asyncpg.PostgresError as error:
            if error.sqlstate not in ROW_REFUSALS:
                return f"the statement failed: {error.sqlstate} {error}"
            got = error
        if isinstance(wanted, Refused) or isinstance(got, Exception):
            agree = isinstance(wanted, Refused) and isinstance(got, Exception)
            return None if agree else f"wanted {wanted!r}\n   got {got!r}"
        for name, part in wanted.items():
            if not same(part, got[name]):
                return "\n".join(_differences(part, got[name], name))
        return None

    async def _asked(self, case: Case) -> Doc:
        tenant, ask = self.tenant.as_(case.caller), case.ask
        if ask.paged:
            body: list[Any] = []
            cursor: str | None = ""
            while cursor is not None:
                prepared = tenant.prepare(ask.entity, f"{ask.query()}&after={cursor}")
                row = await tenant.run(prepared)
                body += row["body"]
                cursor = tenant.queries.next_cursor(prepared, row["cursor"])
            return {"body": body, "count": len(body), "total": None}
        if ask.verb == "read":
            prefer = "count=exact" if ask.counts else ""
            row = await tenant.read(ask.entity, ask.query(), key=ask.key, prefer=prefer)
            shown = row["body"] if ask.key is None else [] if row["body"] is None else [row["body"]]
            return {"body": shown, "count": row["page_count"], "total": row["total"]}
        transaction = tenant.own.transaction()
        await transaction.start()
        try:
            prefer = "return=representation" if ask.shows else "return=minimal"
            resolutions = {
                "upsert": ",resolution=merge-duplicates",
                "ignore": ",resolution=ignore-duplicates",
            }
            prefer += resolutions.get(ask.verb, "")
            prefer += ",missing=default" if ask.defaults else ""
            verb = "insert" if ask.verb in resolutions else ask.verb
            row = await tenant.write(
                verb, ask.entity, *ask.rows, query=ask.query(), key=ask.key, prefer=prefer, keep=True
            )
            tables = plain(await tables_of(tenant, case.document), case.document)
        finally:
            await transaction.rollback()
        shown = row["body"]
        if ask.shows and ask.key is not None:
            shown = [] if shown is None else [shown]
        return {"body": shown, "count": row["page_count"], "tables": tables}


def expected(naive: Naive, ask: Ask) -> Doc:
    """What the naive model answers."""
    if ask.verb == "read":
        body, total = naive.read(ask)
        return {"body": body, "count": len(body), "total": total if ask.counts and ask.key is None else None}
    tables, answer, count = write(naive, ask)
    return {"body": answer, "count": count, "tables": plain(tables, naive_document(naive))}


def naive_document(naive: Naive) -> Doc:
    """The stored fields of every entity, as ``plain`` wants them."""
    return {
        "entities": {
            name: {
                "schema": {
                    "properties": {
                        field.name: {}
                        for field in entity.fields.values()
                        if not field.virtual and field.generated != "managed" and field.name != "id"
                    }
                }
            }
            for name, entity in naive.model.entities.items()
        }
    }


async def tables_of(tenant: Tenant, document: Doc) -> Tables:
    """All rows of all tables."""
    space = tenant.identity.namespace
    found: Tables = {}
    for name in document["entities"]:
        rows = await tenant.own.fetch(f'SELECT row_to_json(t) AS row FROM "{space}"."{name}" t')
        found[name] = [json.loads(row["row"]) for row in rows]
    return found


def plain(tables: Tables, document: Doc) -> Doc:
    """The rows by key without what the platform keeps for itself."""
    found: Doc = {}
    for name, rows in tables.items():
        fields = document["entities"][name]["schema"]["properties"]
        stored = ["id", *(field for field, item in fields.items() if "computed" not in item)]
        found[name] = {
            row["id"]: {
                **{field: row[field] for field in stored if field != "deleted_at"},
                "?": row.get("deleted_at") is None,
            }
            for row in rows
        }
    return found


def same(wanted: Any, got: Any) -> bool:
    """Whether two answers are equal, bags in any order."""
    if isinstance(wanted, list):
        if not isinstance(got, list) or len(wanted) != len(got):
            return False
        if not isinstance(wanted, Bag):
            return all(map(same, wanted, got))
        rest = list(got)
        for item in wanted:
            found = next((place for place, other in enumerate(rest) if same(item, other)), None)
            if found is None:
                return False
            del rest[found]
        return True
    if isinstance(wanted, dict):
        return (
            isinstance(got, dict)
            and wanted.keys() == got.keys()
            and all(same(value, got[name]) for name, value in wanted.items())
        )
    return type(wanted) is type(got) and bool(wanted == got)


def _differences(wanted: Any, got: Any, path: str) -> Iterator[str]:
    """Where two answers differ; lists are told as a whole."""
    if not (isinstance(wanted, dict) and isinstance(got, dict)):
        yield f"{path}: wanted {wanted!r}\n   got {got!r}"
        return
    for name in sorted({*wanted, *got}):
        if name not in wanted or name not in got or not same(wanted[name], got[name]):
            yield from _differences(wanted.get(name, "nothing"), got.get(name, "nothing"), f"{path}.{name}")


async def shrink(bench: Bench, case: Case) -> Case:
    """The smallest case around one that differs which still does."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _simpler(case):
            if await bench.difference(candidate) is not None:
                case, smaller = candidate, True
                break
    return case


def _simpler(case: Case) -> Iterator[Case]:
    for ask in _asks(case.ask):
        yield replace(case, ask=ask)
    for entity, item in case.document["entities"].items():
        for verb, entries in item.get("access", {}).items():
            for place, entry in enumerate(entries):
                rest = [*entries[:place], *entries[place + 1 :]]
                kept = [{key: value for key, value in entry.items() if key != gone} for gone in entry if gone != "role"]  # fmt: skip
                for changed in ([rest] if rest else []) + [[*rest, one] for one in kept]:
                    access = {**item["access"], verb: changed}
                    entities = {**case.document["entities"], entity: {**item, "access": access}}
                    yield replace(case, document={**case.document, "entities": entities})


def _asks(ask: Ask) -> Iterator[Ask]:
    for items in _shorter(ask.items):
        if items:
            yield replace(ask, items=items)
    for tests in _fewer(ask.level.tests):
        if tests or ask.verb == "read" or ask.key is not None:
            yield replace(ask, level=replace(ask.level, tests=tests))
    for change in ({"limit": None}, {"offset": 0}, {"order": ()}):
        if any(getattr(ask.level, name) != value for name, value in change.items()):
            yield replace(ask, level=replace(ask.level, **change))  # type: ignore[arg-type]
    for place in range(len(ask.rows) if len(ask.rows) > 1 else 0):
        yield replace(ask, rows=(*ask.rows[:place], *ask.rows[place + 1 :]))
    for name in {name for row in ask.rows for name in row} - {"id", *ask.conflict}:
        rows = tuple({key: value for key, value in row.items() if key != name} for row in ask.rows)
        if all(rows):
            yield replace(ask, rows=rows)
    if ask.paged:
        yield replace(ask, paged=False)
    if ask.counts:
        yield replace(ask, counts=False)


def _shorter(items: tuple[Item, ...]) -> Iterator[tuple[Item, ...]]:
    for place, item in enumerate(items):
        before, after = items[:place], items[place + 1 :]
        yield (*before, *after)
        if isinstance(item, Embed):
            for inside in _shorter(item.items):
                if inside:
                    yield (*before, replace(item, items=inside), *after)
            for tests in _fewer(item.level.tests):
                yield (*before, replace(item, level=replace(item.level, tests=tests)), *after)
            if item.inner:
                yield (*before, replace(item, inner=False), *after)


def _fewer(tests: tuple[Test, ...]) -> Iterator[tuple[Test, ...]]:
    for place, test in enumerate(tests):
        before, after = tests[:place], tests[place + 1 :]
        yield (*before, *after)
        if isinstance(test, Group):
            yield (*before, *test.items, *after)
        if test.negated:
            yield (*before, replace(test, negated=False), *after)
