"""A small tenant with every kind of field, relation and rule, filled with rows that tests may read but not keep changing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.query.kit import Tenant, open_tenant, uid, who

DENSE = (Path(__file__).parent / "dense.yaml").read_text()
PEOPLE = (
    {"id": uid(1), "name": "Ann", "city": "Rome", "salary": 10, "boss_id": None},
    {"id": uid(2), "name": "Bob", "city": "Oslo", "salary": 20, "boss_id": uid(1)},
    {"id": uid(3), "name": "Cid", "city": None, "salary": None, "boss_id": uid(1)},
)
PROJECTS = (
    {"id": uid(11), "title": "Alpha", "lead_id": uid(1), "backup_id": uid(2), "secret": False},
    {"id": uid(12), "title": "Beta, Inc. (x)", "lead_id": uid(2), "backup_id": None, "secret": False},
    {"id": uid(13), "title": "Hidden", "lead_id": uid(2), "backup_id": None, "secret": True},
)
TICKETS = tuple(
    {
        "id": uid(20 + number),
        "title": title,
        "status": status,
        "owner_id": owner,
        "project_id": project,
        "net": net,
        "note": note,
    }
    for number, title, status, owner, project, net, note in (
        (1, "one", "open", uid(2), uid(11), 10, "n1"),
        (2, "two", "open", uid(1), uid(11), 20, "n2"),
        (3, "three", "done", uid(2), uid(12), 30, None),
        (4, "four", "paid", uid(2), uid(13), 40, "n4"),
        (5, "five", "done", uid(1), None, 50, "n5"),
    )
)
KINDS = (
    {"id": uid(31), "t": "a,b", "u": uid(7), "i": 1, "b": 2**60, "n": 1.25, "f": 0.5, "ok": True, "d": "2026-01-02",
     "ti": "10:00:00", "at": "2026-01-02T03:04:05Z", "mail": "a@b.cd", "ip": "10.0.0.1",
     "j": {"a": {"b": [1, {"c": "x"}]}, "k": "v", "n": 5}, "words": ["x", "y z"], "nums": [1, 2], "lines": [{"x": "1"}]},
    {"id": uid(32), "t": 'q"(x)\\', "i": 2, "ok": False, "j": {"k": "w"}, "words": [], "nums": [3]},
    {"id": uid(33)},
)  # fmt: skip


@pytest.fixture(scope="module")
async def boss(database_url: str) -> AsyncIterator[Tenant]:
    """The tenant as someone who may do nearly everything."""
    async with open_tenant(
        database_url, "dense", DENSE, who(1, "boss", "member", "clerk", "admin")
    ) as tenant:
        for entity, rows in (
            ("people", PEOPLE),
            ("projects", PROJECTS),
            ("tickets", TICKETS),
            ("kinds", _levelled(KINDS)),
            ("badges", ({"id": uid(41), "person_id": uid(1), "color": "red"},)),
            (
                "memberships",
                (
                    {"id": uid(51), "project_id": uid(11), "person_id": uid(1), "since": "2026-01-01"},
                    {"id": uid(52), "project_id": uid(11), "person_id": uid(2), "since": None},
                    {"id": uid(53), "project_id": uid(13), "person_id": uid(2), "since": None},
                ),
            ),
            ("vault", ({"id": uid(61), "project_id": uid(11), "code": "s"},)),
            ("counters", tuple({"label": f"c{number}"} for number in range(5))),
        ):
            await tenant.write("insert", entity, *rows, prefer="", keep=True)
        yield tenant


@pytest.fixture
def member(boss: Tenant) -> Tenant:
    """Bob, a plain member."""
    return boss.as_(who(2, "member"))


def _levelled(rows: tuple[dict[str, object], ...]) -> tuple[dict[str, object], ...]:
    names = dict.fromkeys(name for row in rows for name in row)
    return tuple({name: row.get(name) for name in names} for row in rows)
