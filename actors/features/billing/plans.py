"""``config/plans.yaml``: what it says, its rows in ``plans``, and the limits that follow for each tenant.

Decides what a plan file may say; a file with errors changes nothing. The file is the one place where
plans are
edited: rows of plans that are not in it any more are retired and keep counting for whoever has them.
Called by ``actors.metering_actor``, and after a subscription changed.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
import yaml
from msgspec import Struct, field

from actors.database import Database
from actors.tenant.quotas import Limits
from actors.tenant.system_place import system_namespace
from actors.tenant.usage import UsageBook
from config.errors import StartError
from schemas.compiler.grammar.quantities import BYTES
from schemas.compiler.sql import quote

QUOTAS = ("requests", "rows", "storage", "users", "entities", "functions", "rate", "connections")
METERED = {"requests": "requests", "rows": "rows", "storage": "storage_bytes", "users": "active_users"}
"""What can be charged for beyond its quota, and the metric it is measured by."""

_UPSERT = """
INSERT INTO {ns}.plans (id, name, title, description, price, currency, trial_days, max_requests, max_rows,
  max_storage, max_users, max_entities, max_functions, max_rate, max_connections, overage, retired, position)
VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
  $15::text::jsonb, false, $16)
ON CONFLICT (name) DO UPDATE SET title = excluded.title, description = excluded.description,
  price = excluded.price, currency = excluded.currency, trial_days = excluded.trial_days,
  max_requests = excluded.max_requests, max_rows = excluded.max_rows, max_storage = excluded.max_storage,
  max_users = excluded.max_users, max_entities = excluded.max_entities,
  max_functions = excluded.max_functions,
  max_rate = excluded.max_rate, max_connections = excluded.max_connections, overage = excluded.overage,
  retired = false, position = excluded.position, updated_at = now()
"""
_RETIRE = "UPDATE {ns}.plans SET retired = true WHERE name <> ALL($1::text[]) AND retired IS NOT TRUE"
_LIMITS = """
SELECT t.slug, p.name, p.max_requests, p.max_rows, p.max_storage, p.max_users, p.max_entities,
  p.max_functions, p.max_rate, p.max_connections, coalesce(p.overage, '{{}}')::text AS overage
FROM {ns}.subscriptions s JOIN {ns}.plans p ON p.id = s.plan_id JOIN {ns}.tenants t ON t.id = s.tenant_id
"""


class PlansError(Exception):
    """The file cannot be used; the text says where and why."""


class Overage(Struct, frozen=True):
    """What is charged for each ``per`` beyond the quota."""

    per: int
    price: Decimal


class PlanRow(Struct, frozen=True):
    """One plan; ``quotas`` by name, without those that have no limit."""

    name: str
    title: str
    price: Decimal
    description: str = ""
    trial_days: int = 0
    quotas: Mapping[str, int] = field(default_factory=dict)
    overage: Mapping[str, Overage] = field(default_factory=dict)


class PlanFile(Struct, frozen=True):
    """The whole file.

    Attributes:
        tax_rate: of customers who have none of their own; 0.19 are 19 %.
        default: the plan of tenants that customers make, "" for none.
        seller: name, address, tax_number: as invoices print them.
    """

    currency: str = "EUR"
    tax_rate: Decimal = Decimal(0)
    due_days: int = 14
    default: str = ""
    seller: Mapping[str, str] = field(default_factory=dict)
    plans: tuple[PlanRow, ...] = ()


def parse_plans(data: bytes) -> PlanFile:
    """Read a plan file.

    Raises:
        PlansError: with every mistake, one per line.
    """
    try:
        found = yaml.load(data, _TextLoader)  # noqa: S506 - it makes nothing but texts, lists and mappings
    except yaml.YAMLError as error:
        raise PlansError(" ".join(str(error).split())) from error
    return _Reader().file(found or {})


class _TextLoader(yaml.SafeLoader):
    """Leaves numbers as they are written, so that no price goes through binary floating point."""


_TextLoader.yaml_implicit_resolvers = {}


class _Reader:
    """Collects every mistake before it gives up."""

    def __init__(self) -> None:
        self._mistakes: list[str] = []

    def file(self, found: object) -> PlanFile:
        top = self._mapping(found, "the file")
        self._known(top, {"currency", "tax_rate", "due_days", "seller", "default", "plans"}, "the file")
        plans = tuple(
            self._plan(str(name), one) for name, one in self._mapping(top.get("plans"), "plans").items()
        )
        seller = {key: str(value) for key, value in self._mapping(top.get("seller"), "seller").items()}
        currency = str(top.get("currency", "EUR"))
        if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
            self._mistakes.append("currency: three capital letters, such as EUR")
        default = str(top.get("default") or "")
        if default and default not in {plan.name for plan in plans}:
            self._mistakes.append(f"default: there is no plan '{default}'")
        tax = self._decimal(top.get("tax_rate", "0"), "tax_rate")
        if tax > 1:
            self._mistakes.append("tax_rate: 19 % are 0.19")
        due = self._whole(top.get("due_days", "14"), "due_days")
        if self._mistakes:
            raise PlansError("\n".join(self._mistakes))
        return PlanFile(currency, tax, due, default, seller, plans)

    def _plan(self, name: str, found: object) -> PlanRow:
        at = f"plans.{name}"
        plan = self._mapping(found, at)
        self._known(plan, {"title", "description", "price", "trial_days", "quotas", "overage"}, at)
        quotas = self._mapping(plan.get("quotas"), f"{at}.quotas")
        self._known(quotas, set(QUOTAS), f"{at}.quotas")
        numbers = {
            key: (self._bytes if key == "storage" else self._whole)(value, f"{at}.quotas.{key}")
            for key, value in quotas.items()
            if key in QUOTAS
        }
        overage = {}
        for key, one in self._mapping(plan.get("overage"), f"{at}.overage").items():
            where = f"{at}.overage.{key}"
            terms = self._mapping(one, where)
            if key not in METERED or key not in numbers:
                self._mistakes.append(f"{where}: needs a quota of one of {', '.join(METERED)}")
                continue
            per = (self._bytes if key == "storage" else self._whole)(terms.get("per", "1"), f"{where}.per")
            overage[key] = Overage(max(1, per), self._decimal(terms.get("price"), f"{where}.price"))
        for key in ("rate", "connections"):
            if numbers.get(key) == 0:
                self._mistakes.append(f"{at}.quotas.{key}: at least 1")
        price = self._decimal(plan.get("price", "0"), f"{at}.price")
        if price != price.quantize(Decimal("0.01")):
            self._mistakes.append(f"{at}.price: at most two places")
        return PlanRow(
            name, str(plan.get("title", name)), price, str(plan.get("description", "")),
            self._whole(plan.get("trial_days", "0"), f"{at}.trial_days"), numbers, overage,
        )  # fmt: skip

    def _mapping(self, found: object, at: str) -> dict[Any, Any]:
        if found in (None, ""):
            return {}
        if not isinstance(found, dict):
            self._mistakes.append(f"{at}: names with values")
            return {}
        return found

    def _known(self, found: Mapping[Any, Any], names: set[str], at: str) -> None:
        self._mistakes += [
            f"{at}: '{name}' is not known, only {', '.join(sorted(names))}"
            for name in found
            if name not in names
        ]

    def _decimal(self, value: object, at: str) -> Decimal:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal(-1)
        if not number.is_finite() or number < 0:
            self._mistakes.append(f"{at}: a number of at least 0, not {value!r}")
            return Decimal(0)
        return number

    def _whole(self, value: object, at: str) -> int:
        text = str(value).replace("_", "")
        if not (text.isascii() and text.isdecimal() and len(text) < 18):
            self._mistakes.append(f"{at}: a whole number, not {value!r}")
            return 0
        return int(text)

    def _bytes(self, value: object, at: str) -> int:
        text = str(value)
        digits = text.rstrip("BKMGi")
        unit = text[len(digits) :] or "B"
        if not (digits.isascii() and digits.isdecimal() and len(digits) < 10 and unit in BYTES):
            self._mistakes.append(f"{at}: a size such as 5GB, not {value!r}")
            return 0
        return int(digits) * BYTES[unit]


class PlanBook(Struct):
    """The plans in force in this process."""

    file: PlanFile


async def store_plans(database: Database, file: PlanFile) -> bool:
    """Bring the rows of ``plans`` in step with the file; False while ``system`` has no such table."""
    async with database.owner() as connection:
        namespace = await system_namespace(connection, "plans")
        if namespace is None:
            return False
        async with connection.transaction():
            for position, plan in enumerate(file.plans):
                overage = {
                    name: {"per": one.per, "price": str(one.price)} for name, one in plan.overage.items()
                }
                await connection.execute(
                    _UPSERT.format(ns=quote(namespace)), plan.name, plan.title, plan.description, plan.price,
                    file.currency, plan.trial_days, *(plan.quotas.get(name) for name in QUOTAS),
                    orjson.dumps(overage).decode(), position,
                )  # fmt: skip
            names = [plan.name for plan in file.plans]
            await connection.execute(_RETIRE.format(ns=quote(namespace)), names)
        return True


async def put_in_force(database: Database, book: UsageBook) -> None:
    """Give every tenant the limits of its plan, from now on."""
    async with database.owner() as connection:
        namespace = await system_namespace(connection, "plans")
        rows = [] if namespace is None else await connection.fetch(_LIMITS.format(ns=quote(namespace)))
    found = {row["slug"]: _limits(dict(row)) for row in rows}
    for slug, limits in found.items():
        book.of(slug).quota.set_limits(limits)
    for slug, usage in book.all().items():
        if slug not in found:
            usage.quota.set_limits(None)


def _limits(row: Mapping[str, Any]) -> Limits:
    numbers = {name: row[f"max_{name}"] for name in QUOTAS}
    return Limits(row["name"], **numbers, metered=frozenset(orjson.loads(row["overage"])))


def read_plans(data: bytes, name: str = "plans.yaml") -> PlanFile:
    """Read the file a start begins with.

    Raises:
        StartError: it cannot be used.
    """
    try:
        return parse_plans(data)
    except PlansError as error:
        raise StartError(f"{name}: {str(error).replace(chr(10), '; ')}") from error
