"""The tables behind imports: what is under way, how far it is, and the rows that were not acceptable.

Made at first use (``furniture``), in the tenant's own namespace: an import goes where its tenant goes.
"""

TRANSFER_TABLES = ("_imports", "_import_rows")
"""Names no entity can have (they begin with ``_``); the differ leaves them alone."""

TRANSFER_DDL = """
CREATE TABLE IF NOT EXISTS {namespace}._imports (
  id uuid PRIMARY KEY,
  entity text NOT NULL, format text NOT NULL,
  file text,                          -- in _files; null when nothing more is read from it
  name text NOT NULL, size bigint NOT NULL,
  owner text NOT NULL,                -- id of the user or key
  who jsonb NOT NULL,                 -- as whom rows are written
  header jsonb NOT NULL, sample jsonb NOT NULL,
  options jsonb NOT NULL, columns jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('draft', 'waiting', 'running', 'done', 'failed', 'cancelled')),
  position bigint NOT NULL DEFAULT 0, -- number of the last row that is done
  at bigint NOT NULL DEFAULT 0,       -- bytes read
  read bigint NOT NULL DEFAULT 0, written bigint NOT NULL DEFAULT 0, rejected bigint NOT NULL DEFAULT 0,
  problem jsonb,
  created_at timestamptz NOT NULL DEFAULT now(), started_at timestamptz, finished_at timestamptz,
  changed_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS {namespace}._import_rows (
  import uuid NOT NULL REFERENCES {namespace}._imports ON DELETE CASCADE,
  row bigint NOT NULL,                -- as a spreadsheet numbers it
  cells jsonb,                        -- as they are in the file
  errors jsonb NOT NULL,              -- list of column, field, code, detail
  PRIMARY KEY (import, row));
"""
"""Run as the platform's owner; ``{namespace}`` is quoted."""
