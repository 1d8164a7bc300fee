"""The audit log: what PostgreSQL itself keeps of changes, and what the platform adds about its own acts.

Decides what a row of ``audit_log`` holds. The triggers run with the owner's rights, and the tenant's role can
write to the log by them alone: it may call no trigger function and change no row of it, whatever it is
granted. Secret columns never get there. ``AUDIT_DDL`` is run at first use (``furniture``); the triggers come
and go with the file's ``audit`` (``schemas.compiler.recording``).
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import asyncpg
import orjson
from msgspec import Struct

Connection: TypeAlias = "asyncpg.Connection[Any]"

AUDIT_FUNCTIONS = ("_audit", "_audit_account", "_audit_seal")
"""In every tenant's namespace."""
AUDIT_DDL = r"""
CREATE OR REPLACE FUNCTION {namespace}._audit() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $audit$
DECLARE
  was jsonb; now jsonb; act text := CASE TG_OP WHEN 'INSERT' THEN 'create' ELSE lower(TG_OP) END;
  names text[]; who jsonb; hidden text[] := TG_ARGV[2:];
BEGIN
  -- a migration rewrites rows, as the owner: nobody did anything to them
  IF session_user <> {role_text} THEN RETURN NULL; END IF;
  IF TG_OP <> 'INSERT' THEN was := to_jsonb(OLD); END IF;
  IF TG_OP <> 'DELETE' THEN now := to_jsonb(NEW); END IF;
  names := ARRAY(SELECT key FROM jsonb_each(coalesce(now, was)) AS field(key, value)
    WHERE key NOT LIKE '\_arch\_%' AND (TG_OP <> 'UPDATE' OR value IS DISTINCT FROM was -> key) ORDER BY key);
  IF names = '{{}}' THEN RETURN NULL; END IF;
  IF TG_OP = 'UPDATE' AND (was ->> TG_ARGV[1] IS NULL) <> (now ->> TG_ARGV[1] IS NULL) THEN
    -- no column is called '': the soft delete is TG_ARGV[1], where the entity has one
    act := CASE WHEN now ->> TG_ARGV[1] IS NULL THEN 'restore' ELSE 'delete' END;
  END IF;
  who := nullif(current_setting('backsaas.who', true), '')::jsonb;
  INSERT INTO {namespace}.audit_log
    (at, action, entity, key, changed, old_values, new_values, user_id, email, api_key, roles, request_id,
     address)
  SELECT clock_timestamp(), act, TG_TABLE_NAME, coalesce(now, was) ->> TG_ARGV[0],
    CASE WHEN TG_OP = 'UPDATE' THEN names END,
    jsonb_object_agg(name, was -> name) FILTER (WHERE was IS NOT NULL AND name <> ALL (hidden)),
    jsonb_object_agg(name, now -> name) FILTER (WHERE now IS NOT NULL AND name <> ALL (hidden)),
    who ->> 'user', who ->> 'email', who ->> 'key',
    CASE WHEN who ? 'roles' THEN ARRAY(SELECT jsonb_array_elements_text(who -> 'roles')) END,
    nullif(who ->> 'request_id', ''), nullif(who ->> 'address', '')
  FROM unnest(names) AS name;
  RETURN NULL;
END $audit$;
CREATE OR REPLACE FUNCTION {namespace}._audit_account() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $audit$
BEGIN
  INSERT INTO {namespace}.audit_log (at, action, entity, key, new_values, user_id, request_id, address)
  VALUES (NEW.at, NEW.event, 'users', nullif(NEW.user_id, ''), nullif(NEW.data - 'request_id', '{{}}'),
    coalesce(nullif(NEW.actor, ''), nullif(NEW.user_id, '')), NEW.data ->> 'request_id',
    nullif(NEW.address, ''));
  RETURN NULL;
END $audit$;
-- no right is granted to the log, or to what keeps versions; should one be by mistake, this still refuses
CREATE OR REPLACE FUNCTION {namespace}._audit_seal() RETURNS trigger LANGUAGE plpgsql AS $audit$
BEGIN
  IF current_user = {role_text} THEN
    RAISE insufficient_privilege USING MESSAGE = 'this only grows, by what happens';
  END IF;
  RETURN NULL;
END $audit$;
"""
"""Run as the platform's owner; ``{namespace}`` is quoted, ``{role_text}`` the tenant's role as a literal."""

SEALED = """
SELECT DISTINCT c.oid::regclass::text FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
WHERE n.nspname = $1 AND p.pronamespace = n.oid AND p.proname = '_audit_seal'
"""

ACT_DDL = """
CREATE OR REPLACE FUNCTION backsaas.act(act text, about text, named text, was jsonb, now jsonb, who jsonb)
  RETURNS boolean LANGUAGE plpgsql AS $act$
DECLARE place text;
BEGIN
  SELECT namespace INTO place FROM backsaas.tenants WHERE slug = 'system';
  IF place IS NULL OR NOT EXISTS (
    SELECT FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    WHERE n.nspname = place AND c.relname = 'audit_log' AND p.proname = '_audit_seal') THEN
    RETURN false;
  END IF;
  EXECUTE format('INSERT INTO %I.audit_log (at, action, entity, key, old_values, new_values, user_id, email, '
    'api_key, request_id, address) VALUES (clock_timestamp(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
    place)
  USING act, about, named, was, now, who ->> 'user', who ->> 'email', who ->> 'key',
    nullif(who ->> 'request_id', ''), nullif(who ->> 'address', '');
  RETURN true;
END $act$;
"""
"""In the control schema, which no tenant's role gets into."""


class Who(Struct, frozen=True):
    """Who did something, as far as it is known.

    Attributes:
        name: an address, ``file`` for a saved file, ``operator`` for the command line.
        user: id of an account of the platform.
        key: id of an API key.
    """

    name: str
    user: str | None = None
    key: str | None = None
    request_id: str = ""
    address: str = ""


async def act(
    connection: Connection,
    action: str,
    slug: str,
    who: Who,
    new: Mapping[str, Any] | None = None,
    old: Mapping[str, Any] | None = None,
) -> None:
    """Add what the platform did to a tenant to its own log, within the connection's transaction.

    Nothing is kept by an installation whose platform.yaml has no ``audit``; its check says so.

    Args:
        connection: the owner's.
        action: ``area.past_tense``.
        slug: the tenant.
        who: did it.
        new: JSON values; never a secret.
        old: what was instead.
    """
    said = {
        "user": who.user,
        "email": who.name[:320],
        "key": who.key,
        "request_id": who.request_id,
        "address": who.address,
    }
    await connection.execute(
        "SELECT backsaas.act($1, 'tenants', $2, $3::text::jsonb, $4::text::jsonb, $5::text::jsonb)",
        action,
        slug,
        *(None if one is None else orjson.dumps(one, default=str).decode() for one in (old, new, said)),
    )
