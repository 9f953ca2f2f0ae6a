-- The keys that sign the QR codes of tickets. Here, as every node signs with the same ones, and a
-- restored database still verifies what it has printed. Whoever can read this table can read the
-- tickets' codes, which open the same doors.

CREATE TABLE ticket_keys (
  -- The first characters of the public key's thumbprint (RFC 7638).
  kid        text        PRIMARY KEY,
  -- PKCS #8, PEM.
  secret     text        NOT NULL,
  -- Codes are signed with the newest key whose time has come.
  signs_from timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ticket_keys_signing ON ticket_keys (signs_from);

GRANT SELECT, INSERT, DELETE ON ticket_keys TO evently_gateway;

ALTER TABLE ticket_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY tickets ON ticket_keys
  USING ((SELECT asking_role()) = 'tickets') WITH CHECK ((SELECT asking_role()) = 'tickets');
