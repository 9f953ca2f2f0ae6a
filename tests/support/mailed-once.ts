import assert from "node:assert/strict";
import { digestOf } from "../../gateway/mail/mail-address.ts";
import type { MailSink } from "./mail-sink.ts";
import { openOwnerRows } from "./owner-rows.ts";
import { until } from "./server.ts";

interface Killed {
  readonly databaseUrl: string;
  readonly kills: number;
  /** Resolves when nothing is under way any more. */
  readonly settled: () => Promise<void>;
}

/**
 * What holds for mails however often their sender was killed: nobody has two, and whoever has none
 * is in doubt. A kill can lose one, in the instant between its note and its last line; on a busy
 * machine a thread may stand there for a while. Resolves with those who have none.
 */
export async function requireMailedOnce(
  sink: MailSink,
  readers: readonly string[],
  { databaseUrl, kills, settled }: Killed,
): Promise<readonly string[]> {
  const rows = openOwnerRows(databaseUrl);
  const missing = (): string[] => readers.filter((address) => sink.to(address).length === 0);
  const isTold = async (): Promise<boolean> => {
    const { rows: doubtful } = await rows.query<{ recipient: string }>(
      "SELECT encode(recipient, 'hex') AS recipient FROM mails WHERE state = 'in_doubt'",
    );
    const known = new Set(doubtful.map(({ recipient }) => recipient));
    return missing().every((address) => known.has(digestOf(address).toString("hex")));
  };
  try {
    await until("everybody has their mail, or is in doubt", isTold);
  } finally {
    await rows.end();
  }
  await settled();
  const twice = readers.filter((address) => sink.to(address).length > 1);
  assert.deepEqual(twice, []);
  assert.ok(missing().length <= kills, `nothing for ${missing().join(", ")}`);
  return missing();
}
