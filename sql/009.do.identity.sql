-- Who is signed in, and what proves that somebody reads the mail of an address. Of every token only
-- the SHA-256 is here: who reads this table can't use what is in it.

ALTER TABLE users
  -- NULL: nobody has shown yet that the address is theirs.
  ADD COLUMN email_verified_at timestamptz;

-- One sign-in and the refresh tokens that came of it, one after the other. A family that ended has
-- no row, and takes what is known of its tokens with it.
CREATE TABLE refresh_families (
  id         uuid        PRIMARY KEY,
  user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- Of the one token that is good now.
  digest     bytea       NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refresh_families_by_user ON refresh_families (user_id, created_at);
CREATE INDEX refresh_families_expiring ON refresh_families (expires_at);

-- The tokens of living families that were exchanged: whoever shows one of them again has a copy.
CREATE TABLE spent_refresh_tokens (
  digest    bytea       PRIMARY KEY,
  family_id uuid        NOT NULL REFERENCES refresh_families (id) ON DELETE CASCADE,
  spent_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX spent_refresh_tokens_by_family ON spent_refresh_tokens (family_id);
CREATE INDEX spent_refresh_tokens_at ON spent_refresh_tokens (spent_at);

-- What was mailed to an address, and lets whoever reads it do one thing, once.
CREATE TABLE mailed_tokens (
  digest     bytea       PRIMARY KEY,
  user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  purpose    text        NOT NULL CHECK (purpose IN ('verify_email', 'reset_password')),
  expires_at timestamptz NOT NULL
);
CREATE INDEX mailed_tokens_by_user ON mailed_tokens (user_id);
CREATE INDEX mailed_tokens_expiring ON mailed_tokens (expires_at);

-- Roles that wait for somebody: whoever shows that the address is theirs has them.
CREATE TABLE organization_invitations (
  organization_id uuid        NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  -- Lower-cased, as in users.
  email           text        NOT NULL,
  -- As in reserved_users: the id that the account will have.
  user_id         uuid        NOT NULL,
  role            text        NOT NULL CHECK (role IN ('owner', 'organizer', 'staff')),
  PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX organization_invitations_by_email ON organization_invitations (email);

-- For who asks for everything of one person, or has it removed.
CREATE INDEX waitlist_entries_by_user ON waitlist_entries (user_id);
CREATE INDEX event_history_transferred_to ON event_history ((detail ->> 'userId'))
  WHERE change = 'transferred';
