"""DDL of what works on rows: trigger functions, counters and the conversions of a type change."""

from schemas.compiler.migrate.casts import Conversion
from schemas.compiler.migrate.catalog import (
    ACCOUNTS_LOG,
    AUDIT_LOG,
    AUDIT_TRIGGER,
    BIND_TRIGGER,
    COUNTERS,
    DERIVE_TRIGGER,
    RECORD_TRIGGER,
    Audit,
    Binder,
    Derive,
    Recorder,
    render,
    shorten,
)
from schemas.compiler.migrate.ddl import Names
from schemas.compiler.migrate.derived import NAMESPACE
from schemas.compiler.migrate.literals import text_literal
from schemas.compiler.sql import quote


def counters_table(names: Names) -> list[str]:
    """The table of counters, once per namespace."""
    table = names.object(COUNTERS)
    return [
        f"CREATE TABLE IF NOT EXISTS {table} (scope text PRIMARY KEY, n bigint NOT NULL)",
        f"GRANT SELECT, INSERT, UPDATE ON {table} TO {quote(names.target.role)}",
    ]


def rename_counter(old: str, new: str, names: Names) -> str:
    """Let a counter follow its field."""
    was, now = text_literal(f"{old}:"), text_literal(f"{new}:")
    return (
        f"UPDATE {names.object(COUNTERS)} SET scope = {now} || substr(scope, length({was}) + 1) "
        f"WHERE starts_with(scope, {was})"
    )


def set_derive(table: str, derive: Derive, names: Names) -> list[str]:
    """The row trigger of a table, replacing the one it has."""
    function = names.object(derive_function(table))
    body = render(derive.body, names.of(table)).replace(NAMESPACE, quote(names.target.namespace))
    declare = f"DECLARE\n{derive.declarations}" if derive.declarations else ""
    return [
        *(counters_table(names) if derive.counters else []),
        *_row_trigger(DERIVE_TRIGGER, function, table, f"{declare}BEGIN\n{body}  RETURN NEW;\nEND", names),
        f"COMMENT ON TRIGGER {quote(DERIVE_TRIGGER)} ON {names.table(table)} IS {text_literal(derive.mark)}",
    ]


def drop_derive(table: str, names: Names) -> list[str]:
    """Remove the row trigger of a table."""
    return [
        f"DROP TRIGGER IF EXISTS {quote(DERIVE_TRIGGER)} ON {names.table(table)}",
        f"DROP FUNCTION IF EXISTS {names.object(derive_function(table))}()",
    ]


def set_recorder(table: str, recorder: Recorder, names: Names) -> list[str]:
    """The row trigger that keeps changes; its function is of the tenant's furniture."""
    columns = ", ".join(text_literal(column) for column in (recorder.key, *recorder.hidden))
    trigger, where = quote(RECORD_TRIGGER), names.table(table)
    fired = f"{where} FOR EACH ROW EXECUTE FUNCTION {names.object(RECORD_TRIGGER)}({columns})"
    return [
        f"CREATE OR REPLACE TRIGGER {trigger} AFTER INSERT OR UPDATE OR DELETE ON {fired}",
        f"COMMENT ON TRIGGER {trigger} ON {where} IS {text_literal(recorder.mark)}",
    ]


def drop_recorder(table: str, names: Names) -> str:
    """Keep changes no more."""
    return f"DROP TRIGGER IF EXISTS {quote(RECORD_TRIGGER)} ON {names.table(table)}"


def set_binder(table: str, binder: Binder, names: Names) -> list[str]:
    """The row trigger that ties files to rows; its function is of the tenant's furniture."""
    columns = ", ".join(text_literal(column) for column in binder.columns)
    trigger, where = quote(BIND_TRIGGER), names.table(table)
    fired = f"{where} FOR EACH ROW EXECUTE FUNCTION {names.object(BIND_TRIGGER)}({columns})"
    return [
        f"CREATE OR REPLACE TRIGGER {trigger} AFTER INSERT OR UPDATE OR DELETE ON {fired}",
        f"COMMENT ON TRIGGER {trigger} ON {where} IS {text_literal(binder.mark)}",
    ]


def drop_binder(table: str, names: Names) -> str:
    """Tie no files to rows any more."""
    return f"DROP TRIGGER IF EXISTS {quote(BIND_TRIGGER)} ON {names.table(table)}"


def set_audit(table: str, audit: Audit, names: Names) -> list[str]:
    """The row trigger that keeps changes for good; its function is of the tenant's furniture."""
    given = ", ".join(text_literal(column) for column in (audit.key, audit.soft, *audit.hidden))
    trigger, where = quote(AUDIT_TRIGGER), names.table(table)
    fired = f"{where} FOR EACH ROW EXECUTE FUNCTION {names.object(AUDIT_TRIGGER)}({given})"
    return [
        f"CREATE OR REPLACE TRIGGER {trigger} AFTER INSERT OR UPDATE OR DELETE ON {fired}",
        f"COMMENT ON TRIGGER {trigger} ON {where} IS {text_literal(audit.mark)}",
    ]


def seal_audit_log(table: str, audit: Audit, names: Names) -> list[str]:
    """Let the log only grow: the tenant's role reads it, and what it writes comes by triggers alone."""
    trigger, where = quote(AUDIT_TRIGGER), names.table(table)
    accounts = names.object(ACCOUNTS_LOG)
    sealed = f"{where} FOR EACH STATEMENT EXECUTE FUNCTION {names.object('_audit_seal')}()"
    kept = f"AFTER INSERT ON {accounts} FOR EACH ROW EXECUTE FUNCTION {names.object('_audit_account')}()"
    return [
        f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {where} FROM {quote(names.target.role)}",
        f"CREATE OR REPLACE TRIGGER {trigger} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {sealed}",
        f"COMMENT ON TRIGGER {trigger} ON {where} IS {text_literal(audit.mark)}",
        f"DROP TRIGGER IF EXISTS {trigger} ON {accounts}",
        *([f"CREATE TRIGGER {trigger} {kept}"] if audit.accounts else []),
    ]


def drop_audit(table: str, names: Names) -> list[str]:
    """Keep changes for good no more."""
    tables = [names.table(table), *([names.object(ACCOUNTS_LOG)] if table == AUDIT_LOG else [])]
    return [f"DROP TRIGGER IF EXISTS {quote(AUDIT_TRIGGER)} ON {name}" for name in tables]


def derive_function(table: str) -> str:
    """Return the name of a table's trigger function."""
    return shorten(f"_derive_{table}")


def cast_function(table: str, column: str) -> str:
    """Return the name of the function that converts a column's values."""
    return shorten(f"_cast_{table}_{column}")


def create_cast(name: str, before: str, after: str, how: Conversion, names: Names) -> str:
    """A function that converts a value, or gives NULL for one that has no counterpart."""
    value = how.sql.format("value")
    failing = "\nEXCEPTION WHEN data_exception THEN RETURN NULL;" if how.fallible else ""
    body = f"BEGIN\n  RETURN {value};{failing}\nEND"
    return (
        f"CREATE OR REPLACE FUNCTION {names.object(name)}(value {before}) RETURNS {after} "
        f"LANGUAGE plpgsql STABLE AS {text_literal(body)}"
    )


def drop_function(signature: str, names: Names) -> str:
    """Drop a function made for a migration."""
    name, _, arguments = signature.partition("(")
    return f"DROP FUNCTION IF EXISTS {names.object(name)}({arguments}"


def create_sync(name: str, table: str, assignment: str, names: Names) -> list[str]:
    """A row trigger that keeps a shadow column in step while it is being filled."""
    function = names.object(name)
    return _row_trigger(name, function, table, f"BEGIN\n  {assignment};\n  RETURN NEW;\nEND", names)


def _row_trigger(name: str, function: str, table: str, body: str, names: Names) -> list[str]:
    made = f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {text_literal(body)}"
    where = f"BEFORE INSERT OR UPDATE ON {names.table(table)}"
    fired = f"CREATE OR REPLACE TRIGGER {quote(name)} {where} FOR EACH ROW EXECUTE FUNCTION {function}()"
    return [made, fired]


def drop_sync(name: str, table: str, names: Names) -> list[str]:
    """Remove such a trigger."""
    return [
        f"DROP TRIGGER IF EXISTS {quote(name)} ON {names.table(table)}",
        f"DROP FUNCTION IF EXISTS {names.object(name)}()",
    ]
