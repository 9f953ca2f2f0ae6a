import { Client } from "pg";
import type { ApiClient } from "../support/client.ts";
import { type Person, register } from "./scenery.ts";

export interface Clerks {
  /** Who is to be given a role: none, where nobody could take it up. */
  readonly invited: readonly Person[];
  /** Who stands at the doors. */
  readonly atDoors: readonly Person[];
}

/**
 * A role is in force once an account owns its address, which is done in the database, in place of
 * who reads the mail. `databaseUrl` null: the owner stands at all doors.
 */
export async function confirmedClerks(
  api: ApiClient,
  { count, owner, databaseUrl }: { count: number; owner: Person; databaseUrl: string | null },
): Promise<Clerks> {
  if (databaseUrl === null)
    return { invited: [], atDoors: Array.from({ length: count }, () => owner) };
  const clerks = await Promise.all(Array.from({ length: count }, () => register(api)));
  await ownAddresses(databaseUrl, clerks);
  return { invited: clerks, atDoors: clerks };
}

/** They own their addresses from now on: what those are given is theirs. */
export async function ownAddresses(databaseUrl: string, people: readonly Person[]): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const emails = people.map(({ email }) => email);
    const text = "UPDATE users SET address_owned_at = now() WHERE email = ANY ($1)";
    await client.query(text, [emails]);
  } finally {
    await client.end();
  }
}
