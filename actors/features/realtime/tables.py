"""The log of changes that followers hear of: in the tenant's own namespace, while somebody listens.

Decides what is kept of a change (``_changes``, by a row trigger inside the write's own transaction) and of
which entities (``_live``). A table nobody ever followed has no trigger. Made at first use (``furniture``);
triggers are made by ``log``.
"""

REALTIME_TABLES = ("_changes", "_live")
"""Names no entity can have (they begin with ``_``); the differ leaves them alone."""
LIVE_TRIGGER = "_tell"
REALTIME_FUNCTIONS = (LIVE_TRIGGER,)

REALTIME_DDL = """
CREATE TABLE IF NOT EXISTS {namespace}._changes (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  entity text NOT NULL,
  verb text NOT NULL,                 -- insert, update, delete
  old jsonb, new jsonb)
  WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE TABLE IF NOT EXISTS {namespace}._live (
  entity text PRIMARY KEY,
  since bigint NOT NULL,              -- every later change of the entity is in the log
  until timestamptz NOT NULL);        -- changes are recorded until then, unless somebody still listens
CREATE OR REPLACE FUNCTION {namespace}._tell() RETURNS trigger LANGUAGE plpgsql AS $tell$
DECLARE
  before jsonb; after jsonb;
BEGIN
  -- a migration rewrites rows, as the owner: nothing happened to them
  IF session_user <> {role_text} OR NOT EXISTS (
    SELECT FROM {namespace}._live WHERE entity = TG_TABLE_NAME AND until > clock_timestamp())
  THEN RETURN NULL; END IF;
  IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD) - coalesce(TG_ARGV[0:], '{{}}'); END IF;
  IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW) - coalesce(TG_ARGV[0:], '{{}}'); END IF;
  IF before = after THEN RETURN NULL; END IF;
  INSERT INTO {namespace}._changes (entity, verb, old, new)
  VALUES (TG_TABLE_NAME, lower(TG_OP), before, after);
  RETURN NULL;
END $tell$;
"""
"""Run as the platform's owner; ``{namespace}`` is quoted, ``{role_text}`` the tenant's role as a literal."""
