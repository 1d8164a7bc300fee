"""The tables behind files: what is known of each, in the tenant's own namespace; their bytes are elsewhere.

Decides that a row can only name a file that was uploaded for its field and belongs to no other row, that a
file goes with the row that names it, and that its bytes go after the commit that let it go. All of it is in
triggers, so that it holds for whatever writes: a request, a batch, a function, a cascade. Made at first use
(``furniture``).
"""

FILES_TABLES = ("_files", "_buckets")
"""Names no entity can have (they begin with ``_``); the differ leaves them alone."""
FILES_FUNCTIONS = ("_bind", "_let_go")

FILES_DDL = """
CREATE TABLE IF NOT EXISTS {namespace}._files (
  id text PRIMARY KEY,                -- the object's name in the store, too; never used again
  entity text NOT NULL, field text NOT NULL, -- what it was uploaded for
  name text NOT NULL DEFAULT '',      -- as its owner called it: shown, never used
  size bigint NOT NULL,
  media_type text NOT NULL,
  sha256 text NOT NULL,
  owner text,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz);               -- since when a row names it
CREATE INDEX IF NOT EXISTS _files_unused ON {namespace}._files (created_at) WHERE used_at IS NULL;
CREATE TABLE IF NOT EXISTS {namespace}._buckets (
  id text PRIMARY KEY,
  public boolean NOT NULL DEFAULT false,
  max_size bigint,
  accept text[],
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now());
CREATE OR REPLACE FUNCTION {namespace}._bind() RETURNS trigger LANGUAGE plpgsql AS $bind$
DECLARE
  before jsonb := '{{}}'; after jsonb := '{{}}'; col text; was text; now_is text;
BEGIN
  -- a migration rewrites rows, as the owner: nothing happened to them
  IF session_user <> {role_text} THEN RETURN NULL; END IF;
  IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD); END IF;
  IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW); END IF;
  FOREACH col IN ARRAY TG_ARGV LOOP
    was := before ->> col; now_is := after ->> col;
    CONTINUE WHEN was IS NOT DISTINCT FROM now_is;
    IF now_is IS NOT NULL THEN
      UPDATE {namespace}._files f SET used_at = now()
        WHERE f.id = now_is AND f.entity = TG_TABLE_NAME AND f.field = col AND f.used_at IS NULL;
      IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'BS424', MESSAGE = 'no such file', DETAIL = col;
      END IF;
    END IF;
    IF was IS NOT NULL THEN DELETE FROM {namespace}._files f WHERE f.id = was; END IF;
  END LOOP;
  RETURN NULL;
END $bind$;
CREATE OR REPLACE FUNCTION {namespace}._let_go() RETURNS trigger LANGUAGE plpgsql AS $let_go$
BEGIN
  INSERT INTO {namespace}._tasks (id, kind, name, payload)
    VALUES (gen_random_uuid(), 'file', 'remove', jsonb_build_object('file', OLD.id, 'size', OLD.size));
  RETURN NULL;
END $let_go$;
CREATE OR REPLACE TRIGGER _let_go AFTER DELETE ON {namespace}._files
  FOR EACH ROW EXECUTE FUNCTION {namespace}._let_go();
"""
"""Run as the platform's owner; ``{namespace}`` is quoted, ``{role_text}`` the tenant's role as a literal."""
