/** The user of the operating system that a PostgreSQL of the node's own runs as. */
import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export class EmbeddedPostgresFailed extends Error {
  readonly code = "embedded_postgres_failed";
}

const run = promisify(execFile);

/** PostgreSQL refuses to run as root; null: this process is not root. */
export async function unprivilegedAccount(): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  try {
    return await accountOf("postgres");
  } catch {
    // The account is missing: it is made below.
  }
  try {
    await run("groupadd", ["--system", "--force", "postgres"]);
    await run("useradd", ["--system", "--gid", "postgres", "--no-create-home", "postgres"]);
    return await accountOf("postgres");
  } catch (cause) {
    throw new EmbeddedPostgresFailed(
      "PostgreSQL does not run as root and the user postgres could not be made:" +
        " run as another user, or set DATABASE_URL",
      { cause },
    );
  }
}

async function accountOf(name: string): Promise<Account> {
  const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** Throws when a directory on the way to one of the paths may not be entered by the account. */
export function requireReachable(account: Account, paths: readonly string[]): void {
  for (const path of paths) {
    for (let parent = dirname(path); ; parent = dirname(parent)) {
      const { mode, uid, gid } = statSync(parent);
      const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
      if ((mode & bit) === 0) {
        throw new EmbeddedPostgresFailed(
          `PostgreSQL runs as the user postgres, who may not enter ${parent} on the way to` +
            ` ${path}: set DATA_DIR to a place it may enter, or DATABASE_URL`,
        );
      }
      if (parent === dirname(parent)) break;
    }
  }
}
