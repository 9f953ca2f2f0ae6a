-- Anybody may register with anybody's address, and have its owner open the mail that comes of it.
-- So that a mail was read is not enough: what an address is given belongs to the account only once
-- who reads the mail has shown that the account is theirs, too (docs/IDENTITY.md).

ALTER TABLE users
  -- NULL: nobody has shown both yet.
  ADD COLUMN address_owned_at timestamptz;
UPDATE users SET address_owned_at = email_verified_at;

-- The address of the asker, if it is theirs.
CREATE OR REPLACE FUNCTION own_address() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT u.email FROM users u WHERE u.id = asking_user() AND u.address_owned_at IS NOT NULL;
END;

CREATE OR REPLACE FUNCTION take_up_invitation(organization uuid, invited uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
BEGIN ATOMIC
  INSERT INTO organization_members (organization_id, user_id, role)
  SELECT i.organization_id, u.id, i.role FROM organization_invitations i
  JOIN users u ON u.email = i.email
  WHERE i.organization_id = organization AND i.id = invited
    AND u.address_owned_at IS NOT NULL
    AND (asking_role() = 'admin' OR organization = ANY (organizations_of_asker('owner')))
  -- Locked, the account can't go meanwhile.
  FOR KEY SHARE OF u
  ON CONFLICT DO NOTHING;
END;
