"""The tables behind ``auth``: in the tenant's own namespace, reached with its own role only.

Decides what is kept about people and credentials. An account is a row of the tenant's ``users`` entity (its
key, email and role live there); what nobody may read through the API is here, keyed by the same id in text
form. Secrets are kept as SHA-256 (random ones), argon2id (passwords) or sealed (what must be read again).
Made at first use (``furniture``).
"""

AUTH_TABLES = (
    "_auth_accounts",
    "_auth_identities",
    "_auth_sessions",
    "_auth_refresh",
    "_auth_tokens",
    "_auth_flows",
    "_auth_factors",
    "_auth_challenges",
    "_auth_signing_keys",
    "_auth_api_keys",
    "_auth_audit",
    "_auth_entered",
)
"""Names no entity can have (they begin with ``_``); the differ leaves them alone."""

AUTH_DDL = """
-- one per person who can sign in; the users row with the same key says who they are
CREATE TABLE IF NOT EXISTS {namespace}._auth_accounts (
  user_id text PRIMARY KEY,
  password_hash text,
  password_changed_at timestamptz,
  confirmed_email text,               -- the address that was proven; confirmed while users.email equals it
  confirmed_at timestamptz,
  new_email text,                     -- asked for, not proven yet
  invited_at timestamptz,
  banned_until timestamptz,
  is_anonymous boolean NOT NULL DEFAULT false,
  app_metadata jsonb NOT NULL DEFAULT '{{}}',
  user_metadata jsonb NOT NULL DEFAULT '{{}}',
  last_sign_in_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now());
-- what other issuers say about a person; (issuer, subject) is who they are there
CREATE TABLE IF NOT EXISTS {namespace}._auth_identities (
  id uuid PRIMARY KEY,
  issuer text NOT NULL, subject text NOT NULL, provider text NOT NULL,
  user_id text NOT NULL, email text, email_verified boolean NOT NULL DEFAULT false,
  data jsonb NOT NULL DEFAULT '{{}}',
  created_at timestamptz NOT NULL DEFAULT now(), last_sign_in_at timestamptz,
  UNIQUE (issuer, subject));
CREATE INDEX IF NOT EXISTS _auth_identities_user ON {namespace}._auth_identities (user_id);
CREATE TABLE IF NOT EXISTS {namespace}._auth_sessions (
  id uuid PRIMARY KEY,
  user_id text NOT NULL,
  cookie_hash bytea UNIQUE,           -- of a browser's session cookie; null for sessions of tokens
  aal text NOT NULL DEFAULT 'aal1',
  amr jsonb NOT NULL DEFAULT '[]',    -- [{{method, timestamp}}], newest first
  agent text NOT NULL DEFAULT '', address text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz);
CREATE INDEX IF NOT EXISTS _auth_sessions_user ON {namespace}._auth_sessions (user_id);
CREATE INDEX IF NOT EXISTS _auth_sessions_ends ON {namespace}._auth_sessions (expires_at);
CREATE TABLE IF NOT EXISTS {namespace}._auth_refresh (
  hash bytea PRIMARY KEY,
  session uuid NOT NULL REFERENCES {namespace}._auth_sessions ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz);               -- exchanged for its one successor
CREATE INDEX IF NOT EXISTS _auth_refresh_session ON {namespace}._auth_refresh (session);
-- links and codes that work once: kinds are listed in one_time
CREATE TABLE IF NOT EXISTS {namespace}._auth_tokens (
  hash bytea PRIMARY KEY,
  kind text NOT NULL,
  user_id text NOT NULL,              -- '' before there is one
  email text NOT NULL DEFAULT '',
  code_hash bytea,                    -- of the six digits in the same mail
  attempts integer NOT NULL DEFAULT 0,
  redirect_to text NOT NULL DEFAULT '',
  challenge text NOT NULL DEFAULT '', -- PKCE, S256; '' when a browser's own session is wanted
  data jsonb NOT NULL DEFAULT '{{}}',
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz);
CREATE INDEX IF NOT EXISTS _auth_tokens_user ON {namespace}._auth_tokens (user_id, kind);
CREATE INDEX IF NOT EXISTS _auth_tokens_ends ON {namespace}._auth_tokens (expires_at);
CREATE INDEX IF NOT EXISTS _auth_tokens_email ON {namespace}._auth_tokens (email, kind);
-- a browser that is away at another provider
CREATE TABLE IF NOT EXISTS {namespace}._auth_flows (
  state_hash bytea PRIMARY KEY,
  browser_hash bytea NOT NULL,        -- of the cookie of the browser that began
  provider text NOT NULL, nonce text NOT NULL, verifier_sealed bytea NOT NULL,
  redirect_to text NOT NULL DEFAULT '', challenge text NOT NULL DEFAULT '',
  link_to text NOT NULL DEFAULT '',   -- user who links a further identity
  created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS {namespace}._auth_factors (
  id uuid PRIMARY KEY,
  user_id text NOT NULL,
  kind text NOT NULL DEFAULT 'totp',
  name text NOT NULL DEFAULT '',
  secret_sealed bytea NOT NULL,
  verified_at timestamptz,
  last_step bigint NOT NULL DEFAULT 0, -- a code of this or an earlier step was used
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS _auth_factors_user ON {namespace}._auth_factors (user_id);
CREATE TABLE IF NOT EXISTS {namespace}._auth_challenges (
  id uuid PRIMARY KEY,
  factor uuid NOT NULL REFERENCES {namespace}._auth_factors ON DELETE CASCADE,
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL, used_at timestamptz);
CREATE TABLE IF NOT EXISTS {namespace}._auth_signing_keys (
  kid text PRIMARY KEY,
  private_sealed bytea NOT NULL,
  public jsonb NOT NULL,              -- JWK
  created_at timestamptz NOT NULL DEFAULT now(),
  signs_from timestamptz NOT NULL,    -- published before, so that clients' caches know it
  retired_at timestamptz);            -- neither signs nor is believed any more
CREATE TABLE IF NOT EXISTS {namespace}._auth_api_keys (
  id uuid PRIMARY KEY,
  name text NOT NULL DEFAULT '',
  prefix text NOT NULL,               -- what may be shown: bsk_sec_ and the first characters
  hash bytea NOT NULL UNIQUE,
  role text NOT NULL,
  scopes text[],                      -- entity:verb; null: whatever the role may
  rate_limit integer, rate_window double precision,
  created_by text NOT NULL DEFAULT '', created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz, used_at timestamptz, revoked_at timestamptz,
  successor uuid);                    -- of a rotation
-- in the tenant "system" alone: who of the platform entered which tenant, and the role that tenant was told
CREATE TABLE IF NOT EXISTS {namespace}._auth_entered (
  user_id text NOT NULL, slug text NOT NULL, role text NOT NULL, PRIMARY KEY (user_id, slug));
-- append only: the tenant's role may add and read
CREATE TABLE IF NOT EXISTS {namespace}._auth_audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  event text NOT NULL, user_id text NOT NULL DEFAULT '', actor text NOT NULL DEFAULT '',
  address text NOT NULL DEFAULT '', data jsonb NOT NULL DEFAULT '{{}}');
CREATE INDEX IF NOT EXISTS _auth_audit_at ON {namespace}._auth_audit (at);
REVOKE UPDATE, DELETE, TRUNCATE ON {namespace}._auth_audit FROM {role};
"""
"""Run as the platform's owner; ``{namespace}`` and ``{role}`` are the tenant's, quoted."""
