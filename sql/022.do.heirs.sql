-- What is handed over to an address belongs to an heir, whose id no account has, until an account
-- owns the address; then it is handed over to that. So whoever merely registers with the address
-- has nothing of it.

-- These are accounts' own ids: what they were given before stays theirs.
DELETE FROM reserved_users r USING users u WHERE u.id = r.user_id;
ALTER TABLE reserved_users RENAME TO heirs;

ALTER POLICY own ON heirs
  USING (email = (SELECT own_address()) OR (SELECT asking_role()) = 'identity');
