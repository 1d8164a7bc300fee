"""DDL of row history: the trigger that keeps what a row was, and the notes that keep old versions readable.

Decides what a version is. The row itself is its newest version; when it changes, what it was goes to the
table beside it, in one record per version: who made it and when, and from the next change on the row as it
was. So a row that nobody changed costs nothing, and no migration ever copies rows. Records without a key are
notes: when keeping began and ended, and which fields were renamed or given another type since. Called by
``plan_history``.
"""

from schemas.compiler.migrate.catalog import HISTORY_TRIGGER, SEAL_TRIGGER, History, shorten
from schemas.compiler.migrate.ddl import Names
from schemas.compiler.migrate.literals import text_literal
from schemas.compiler.sql import quote

BEGIN, END, RENAME, RETYPE = "begin", "end", "rename", "retype"
"""Operations of notes."""
KEPT = "kept"
"""Operation of a version that was there when keeping began."""

KEEP = r"""
DECLARE
  was jsonb; who jsonb; act text; moment timestamptz; number integer; first timestamptz;
  k text; left_key text; hidden text[] := coalesce(TG_ARGV, '{}');
BEGIN
  -- a migration rewrites rows, as the owner: nobody did anything to them
  IF session_user <> {role} THEN RETURN NULL; END IF;
  IF TG_OP = 'UPDATE' AND to_jsonb(OLD) = to_jsonb(NEW) THEN RETURN NULL; END IF;
  who := nullif(current_setting('backsaas.who', true), '')::jsonb;
  moment := now();  -- one moment for a transaction: nobody ever sees half of one
  IF TG_OP <> 'INSERT' THEN
    was := to_jsonb(OLD) - hidden;
    was := was - ARRAY(SELECT name FROM jsonb_object_keys(was) AS name WHERE name LIKE '\_arch\_%');
    k := OLD.{key}::text;
    UPDATE {history} h SET data = was, until = greatest(moment, h.at + interval '1 microsecond')
      WHERE h.key = k AND h.until IS NULL RETURNING h.n, h.until INTO number, moment;
    IF NOT FOUND THEN
      number := 1;
      moment := now();
      SELECT max(h.at) INTO first FROM {history} h WHERE h.key IS NULL AND h.operation = 'begin';
      INSERT INTO {history} (id, key, n, at, until, operation, data, user_id)
        VALUES (gen_random_uuid(), k, 1, least(first, moment), moment, 'kept', was, {by});
    END IF;
    IF TG_OP = 'DELETE' OR OLD.{key} IS DISTINCT FROM NEW.{key} THEN
      left_key := k;
    END IF;
  END IF;
  IF left_key IS NOT NULL THEN
    INSERT INTO {history} (id, key, n, at, operation, user_id, email, api_key, function, request_id)
      VALUES (gen_random_uuid(), left_key, number + 1, moment, 'delete', who ->> 'user', who ->> 'email',
        who ->> 'key', who ->> 'function', nullif(who ->> 'request_id', ''));
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN NULL; END IF;
  act := 'update';
  IF TG_OP = 'INSERT' OR left_key IS NOT NULL THEN
    k := NEW.{key}::text;
    act := 'create';
    -- a row of this key may have been here before
    UPDATE {history} h SET until = greatest(moment, h.at + interval '1 microsecond')
      WHERE h.key = k AND h.until IS NULL RETURNING h.n, h.until INTO number, moment;
    IF NOT FOUND THEN
      moment := now();
      number := coalesce((SELECT max(h.n) FROM {history} h WHERE h.key = k), 0);
    ELSE
      act := 'restore';
    END IF;
  {deleting}
  END IF;
  INSERT INTO {history} (id, key, n, at, operation, user_id, email, api_key, function, request_id)
    VALUES (gen_random_uuid(), k, number + 1, moment, act, who ->> 'user', who ->> 'email', who ->> 'key',
      who ->> 'function', nullif(who ->> 'request_id', ''));
  RETURN NULL;
END
"""
DELETING = """ELSIF (OLD.{soft} IS NULL) <> (NEW.{soft} IS NULL) THEN
    act := CASE WHEN NEW.{soft} IS NULL THEN 'restore' ELSE 'delete' END;"""
PRUNE = """
DECLARE dropped bigint;
BEGIN
  -- what came after a version says until when it held: the newest version of a row there is stays
  DELETE FROM {history} h WHERE h.ctid = ANY (ARRAY(
    SELECT o.ctid FROM {history} o WHERE o.key IS NOT NULL AND (o.until < before
      OR (o.until IS NULL AND o.at < before AND o.operation = 'delete'
        AND NOT EXISTS (SELECT FROM {table} t WHERE t.{key}::text = o.key)))
    LIMIT most));
  GET DIAGNOSTICS dropped = ROW_COUNT;
  RETURN dropped;
END
"""


def set_history(table: str, history: History, names: Names) -> list[str]:
    """Keep what rows of a table were: the tenant's role reads it, and what it writes comes by this alone."""
    where, kept = names.table(table), names.table(history.table)
    role = names.target.role
    parts = {
        "history": kept,
        "table": where,
        "key": quote(history.key),
        "role": text_literal(role),
        "by": f"was ->> {text_literal(history.by)}" if history.by else "NULL",
        "deleting": DELETING.replace("{soft}", quote(history.soft)) if history.soft else "",
    }
    hidden = ", ".join(text_literal(column) for column in history.hidden)
    trigger, function = quote(HISTORY_TRIGGER), names.object(history_function(table))
    fired = f"{where} FOR EACH ROW EXECUTE FUNCTION {function}({hidden})"
    written = f"BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {kept}"
    sealed = f"{written} FOR EACH STATEMENT EXECUTE FUNCTION {names.object('_audit_seal')}()"
    return [
        f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {kept} FROM {quote(role)}",
        f"CREATE OR REPLACE TRIGGER {quote(SEAL_TRIGGER)} {sealed}",
        _function(f"{function}()", "trigger", _filled(KEEP, parts)),
        _function(f"{names.object(prune_function(table))}(before timestamptz, most integer)", "bigint",
                  _filled(PRUNE, parts)),
        f"CREATE OR REPLACE TRIGGER {trigger} AFTER INSERT OR UPDATE OR DELETE ON {fired}",
        f"COMMENT ON TRIGGER {trigger} ON {where} IS {text_literal(history.mark)}",
    ]  # fmt: skip


def drop_history(table: str, names: Names) -> list[str]:
    """Keep what rows were no more."""
    return [
        f"DROP TRIGGER IF EXISTS {quote(HISTORY_TRIGGER)} ON {names.table(table)}",
        *drop_functions(table, names),
    ]


def drop_functions(table: str, names: Names) -> list[str]:
    """Drop the functions that were made for a table of this name."""
    return [
        f"DROP FUNCTION IF EXISTS {names.object(history_function(table))}()",
        f"DROP FUNCTION IF EXISTS {names.object(prune_function(table))}(timestamptz, integer)",
    ]


def note(history: str, operation: str, names: Names, said: tuple[str, str] | None = None) -> str:
    """Add a note; ``said`` are the names of a field before and after."""
    data = (
        "NULL"
        if said is None
        else f"jsonb_build_object('from', {text_literal(said[0])}, 'to', {text_literal(said[1])})"
    )
    # the clock: what was written while this waited for its lock is older
    return (
        f"INSERT INTO {names.table(history)} (id, at, until, operation, data) SELECT gen_random_uuid(), "
        f"moment, moment, {text_literal(operation)}, {data} FROM clock_timestamp() AS moment"
    )


def history_function(table: str) -> str:
    """Return the name of the function of a table's trigger."""
    return shorten(f"_history_{table}")


def prune_function(table: str) -> str:
    """Return the name of the function that drops old versions of a table's rows."""
    return shorten(f"_prune_{table}")


def _filled(text: str, parts: dict[str, str]) -> str:
    for name, value in parts.items():
        text = text.replace("{" + name + "}", value)
    return text


def _function(signature: str, returns: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {signature} RETURNS {returns} LANGUAGE plpgsql "
        f"SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS {text_literal(body)}"
    )
