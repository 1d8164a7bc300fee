"""The control schema: what the platform keeps about every tenant, and the one function statements call.

``backsaas`` belongs to the owner alone. ``backsaas_api`` is readable by every tenant role and holds nothing
but ``refuse``, by which a statement stops itself, ``fitted``, which makes an old version of a row one of its
table as it is now, and pg_trgm's operators where the server has them.
"""

from actors.tenant.audit import ACT_DDL

BOOTSTRAP_LOCK = 0x6261636B
"""Advisory lock (one key) held while the schema is made, so that processes starting together don't
collide.
"""

BOOTSTRAP = """
CREATE SCHEMA IF NOT EXISTS backsaas;
CREATE SCHEMA IF NOT EXISTS backsaas_api;
REVOKE ALL ON SCHEMA backsaas FROM PUBLIC;
REVOKE CREATE ON SCHEMA backsaas_api FROM PUBLIC;
GRANT USAGE ON SCHEMA backsaas_api TO PUBLIC;
CREATE TABLE IF NOT EXISTS backsaas.settings (
  key text PRIMARY KEY, value text NOT NULL, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS backsaas.tenants (
  id uuid PRIMARY KEY, slug text NOT NULL UNIQUE, namespace text NOT NULL UNIQUE,
  archive text NOT NULL UNIQUE,
  role text NOT NULL UNIQUE, state text NOT NULL DEFAULT 'active', version integer NOT NULL DEFAULT 0,
  digest text NOT NULL DEFAULT '', shape jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now());
ALTER TABLE backsaas.tenants ADD COLUMN IF NOT EXISTS reason text NOT NULL DEFAULT '';
CREATE TABLE IF NOT EXISTS backsaas.versions (
  tenant uuid NOT NULL REFERENCES backsaas.tenants, number integer NOT NULL, text text NOT NULL,
  digest text NOT NULL,
  state text NOT NULL CHECK (state IN ('draft', 'pending', 'deployed', 'superseded', 'rejected')),
  author text NOT NULL DEFAULT '', plan jsonb NOT NULL DEFAULT '{}', record jsonb NOT NULL DEFAULT '{}',
  diagnostics jsonb NOT NULL DEFAULT '[]', created_at timestamptz NOT NULL DEFAULT now(),
  deployed_at timestamptz,
  PRIMARY KEY (tenant, number));
ALTER TABLE backsaas.versions ADD COLUMN IF NOT EXISTS code text NOT NULL DEFAULT '';
CREATE UNIQUE INDEX IF NOT EXISTS versions_deployed ON backsaas.versions (tenant) WHERE state = 'deployed';
ALTER TABLE backsaas.versions ADD COLUMN IF NOT EXISTS mirrored boolean NOT NULL DEFAULT false;
CREATE INDEX IF NOT EXISTS versions_to_mirror ON backsaas.versions (tenant, number) WHERE NOT mirrored;
CREATE TABLE IF NOT EXISTS backsaas.migrations (
  tenant uuid NOT NULL REFERENCES backsaas.tenants, version integer NOT NULL, plan_id text NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'switched', 'done', 'reverted', 'failed')),
  steps jsonb NOT NULL, record jsonb NOT NULL, base integer NOT NULL, waiting text NOT NULL DEFAULT '',
  notes jsonb NOT NULL DEFAULT '[]', started_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz,
  PRIMARY KEY (tenant, version, plan_id));
CREATE UNIQUE INDEX IF NOT EXISTS migrations_open ON backsaas.migrations (tenant)
  WHERE state IN ('running', 'switched');
CREATE TABLE IF NOT EXISTS backsaas.steps (
  tenant uuid NOT NULL, version integer NOT NULL, plan_id text NOT NULL, number integer NOT NULL,
  state text NOT NULL, error text NOT NULL DEFAULT '',
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz, PRIMARY KEY (tenant, version, plan_id, number),
  FOREIGN KEY (tenant, version, plan_id) REFERENCES backsaas.migrations ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS backsaas.confirmations (
  tenant uuid NOT NULL REFERENCES backsaas.tenants, plan_id text NOT NULL, author text NOT NULL DEFAULT '',
  confirmed_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant, plan_id));
CREATE TABLE IF NOT EXISTS backsaas.undertakings (
  slug text PRIMARY KEY, id uuid NOT NULL UNIQUE, kind text NOT NULL,
  tx text NOT NULL DEFAULT '', detail jsonb NOT NULL DEFAULT '{}',
  begun_at timestamptz NOT NULL DEFAULT now());
ALTER TABLE backsaas.undertakings DROP CONSTRAINT IF EXISTS undertakings_kind_check;
CREATE TABLE IF NOT EXISTS backsaas.due (
  tenant uuid NOT NULL REFERENCES backsaas.tenants ON DELETE CASCADE, holder integer NOT NULL,
  at timestamptz NOT NULL, PRIMARY KEY (tenant, holder));
CREATE INDEX IF NOT EXISTS due_at ON backsaas.due (at);
CREATE TABLE IF NOT EXISTS backsaas.usage (
  tenant uuid NOT NULL REFERENCES backsaas.tenants ON DELETE CASCADE, at timestamptz NOT NULL,
  route text NOT NULL, method text NOT NULL, status smallint NOT NULL, le integer NOT NULL,
  requests bigint NOT NULL, seconds float8 NOT NULL, egress bigint NOT NULL,
  PRIMARY KEY (tenant, at, route, method, status, le));
CREATE INDEX IF NOT EXISTS usage_at ON backsaas.usage (at);
CREATE TABLE IF NOT EXISTS backsaas.usage_batches (
  id uuid PRIMARY KEY, written_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS backsaas.active_people (
  tenant uuid NOT NULL REFERENCES backsaas.tenants ON DELETE CASCADE, day date NOT NULL,
  person text NOT NULL, PRIMARY KEY (tenant, day, person));
CREATE TABLE IF NOT EXISTS backsaas.dead_tasks (
  tenant uuid PRIMARY KEY REFERENCES backsaas.tenants ON DELETE CASCADE, tasks bigint NOT NULL,
  deliveries bigint NOT NULL, counted_at timestamptz NOT NULL DEFAULT now());
{act}
CREATE OR REPLACE FUNCTION backsaas_api.refuse(code text, detail text) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED AS $refuse$
BEGIN
  RAISE EXCEPTION USING ERRCODE = code, MESSAGE = code, DETAIL = coalesce(detail, '');
END $refuse$;
GRANT EXECUTE ON FUNCTION backsaas_api.refuse(text, text) TO PUBLIC;
CREATE OR REPLACE FUNCTION backsaas_api.fitted(base anyelement, data jsonb, until timestamptz, notes jsonb)
  RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fitted$
DECLARE note record; name text; was text; now text;
BEGIN
  FOR note IN SELECT (n -> 'at' #>> '{}')::timestamptz AS at, n -> 'data' AS said
    FROM jsonb_array_elements(notes) AS n LOOP
    CONTINUE WHEN note.at < until OR data IS NULL;
    was := note.said ->> 'from';
    now := note.said ->> 'to';
    IF was <> now THEN
      data := CASE WHEN data ? was THEN data - was || jsonb_build_object(now, data -> was)
        ELSE data - now END;
    END IF;
  END LOOP;
  BEGIN
    PERFORM jsonb_populate_record(base, data);
    RETURN data;
  EXCEPTION WHEN data_exception THEN
    FOR name IN SELECT jsonb_object_keys(data) LOOP
      BEGIN
        PERFORM jsonb_populate_record(base, jsonb_build_object(name, data -> name));
      EXCEPTION WHEN data_exception THEN
        data := data - name;
      END;
    END LOOP;
    RETURN data;
  END;
END $fitted$;
GRANT EXECUTE ON FUNCTION backsaas_api.fitted(anyelement, jsonb, timestamptz, jsonb) TO PUBLIC;
""".replace("{act}", ACT_DDL)

TRIGRAM = """
DO $trigram$ BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pg_trgm')
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_trgm') THEN
    CREATE EXTENSION pg_trgm SCHEMA backsaas_api;
  END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $trigram$
"""
"""An index kind for ``contains`` where the server offers it; a server that refuses goes without."""
