"""The tables behind everything that happens after a commit or on the clock: in the tenant's own namespace.

Decides what is kept of a change (``_outbox``, written by a row trigger inside the write's own transaction),
of work to do (``_tasks``) and of schedules (``_schedules``). Made at first use
(``furniture``).
"""

OUTBOX_TABLES = ("_outbox", "_tasks", "_schedules")
"""Names no entity can have (they begin with ``_``); the differ leaves them alone."""
OUTBOX_FUNCTIONS = ("_record",)

OUTBOX_DDL = """
-- what happened and was not yet looked at; a change is here if and only if its transaction committed
CREATE TABLE IF NOT EXISTS {namespace}._outbox (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  entity text NOT NULL,               -- the name of the event where verb is 'event'
  key text NOT NULL,
  verb text NOT NULL,                 -- insert, update, delete; event: published by a function
  old jsonb, new jsonb, who jsonb)
  WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE TABLE IF NOT EXISTS {namespace}._tasks (
  id uuid PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL, name text NOT NULL,
  ordering_key text NOT NULL DEFAULT '', -- those of one key run one after another; '': in no order
  payload jsonb NOT NULL DEFAULT '{{}}',
  state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'running', 'done', 'dead')),
  run_at timestamptz NOT NULL DEFAULT now(),
  attempts integer NOT NULL DEFAULT 0,
  lease_until timestamptz,            -- running: whoever runs it lives, until then
  error text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(), started_at timestamptz, finished_at timestamptz)
  WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX IF NOT EXISTS _tasks_due ON {namespace}._tasks (run_at, seq) WHERE state = 'ready';
CREATE INDEX IF NOT EXISTS _tasks_order ON {namespace}._tasks (ordering_key, seq)
  WHERE ordering_key <> '' AND state IN ('ready', 'running');
CREATE INDEX IF NOT EXISTS _tasks_lease ON {namespace}._tasks (lease_until) WHERE state = 'running';
CREATE INDEX IF NOT EXISTS _tasks_ended ON {namespace}._tasks (finished_at) WHERE state IN ('done', 'dead');
CREATE TABLE IF NOT EXISTS {namespace}._schedules (
  name text PRIMARY KEY,
  definition text NOT NULL,           -- what next_at was worked out from
  next_at timestamptz NOT NULL);
CREATE OR REPLACE FUNCTION {namespace}._record() RETURNS trigger LANGUAGE plpgsql AS $record$
DECLARE
  before jsonb; after jsonb;
BEGIN
  -- a migration rewrites rows, as the owner: nothing happened to them
  IF session_user <> {role_text} THEN RETURN NULL; END IF;
  IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD) - TG_ARGV[1:]; END IF;
  IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW) - TG_ARGV[1:]; END IF;
  IF before = after THEN RETURN NULL; END IF;
  INSERT INTO {namespace}._outbox (entity, key, verb, old, new, who) VALUES (
    TG_TABLE_NAME, coalesce(after, before) ->> TG_ARGV[0], lower(TG_OP), before, after,
    nullif(current_setting('backsaas.who', true), '')::jsonb);
  RETURN NULL;
END $record$;
"""
"""Run as the platform's owner; ``{namespace}`` is quoted, ``{role_text}`` the tenant's role as a literal."""
