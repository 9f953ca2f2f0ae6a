-- The id that an account of an address has, or will have: a booking may be handed over to somebody
-- who has no account yet, and whoever registers with the address owns it. Accounts that are older
-- than this table are in users alone.
CREATE TABLE reserved_users (
  -- Lower-cased, as in users.
  email       text        PRIMARY KEY,
  user_id     uuid        NOT NULL UNIQUE,
  reserved_at timestamptz NOT NULL DEFAULT now()
);
