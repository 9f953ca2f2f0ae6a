-- An invitation has an id of its own, which says nothing of the account that its address may have:
-- whoever invites would see by the age of an account's id that there is one. Whose it is its
-- address says.

ALTER TABLE organization_invitations RENAME COLUMN user_id TO id;
DELETE FROM organization_invitations old USING organization_invitations new
WHERE old.organization_id = new.organization_id AND old.email = new.email
  AND (old.invited_at, old.id) < (new.invited_at, new.id);
ALTER TABLE organization_invitations ADD UNIQUE (organization_id, email);

-- The address of the asker, if somebody has shown that they read it.
CREATE FUNCTION own_address() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT u.email FROM users u WHERE u.id = asking_user() AND u.email_verified_at IS NOT NULL;
END;

ALTER POLICY seen ON organization_invitations
  USING (email = (SELECT own_address())
    OR organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) IN ('admin', 'identity'));
ALTER POLICY removed ON organization_invitations
  USING (email = (SELECT own_address())
    OR organization_id = ANY ((SELECT organizations_of_asker('owner'))::uuid[])
    OR (SELECT asking_role()) IN ('admin', 'identity'));

CREATE OR REPLACE FUNCTION take_up_invitation(organization uuid, invited uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
BEGIN ATOMIC
  INSERT INTO organization_members (organization_id, user_id, role)
  SELECT i.organization_id, u.id, i.role FROM organization_invitations i
  JOIN users u ON u.email = i.email
  WHERE i.organization_id = organization AND i.id = invited
    AND u.email_verified_at IS NOT NULL
    AND (asking_role() = 'admin' OR organization = ANY (organizations_of_asker('owner')))
  -- Locked, the account can't go meanwhile.
  FOR KEY SHARE OF u
  ON CONFLICT DO NOTHING;
END;
