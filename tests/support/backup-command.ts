/** `npm run backup` and `npm run restore`, as an operator runs them. */
import { spawn } from "node:child_process";
import { ROOT } from "../../bench/root.ts";

export interface Ran {
  readonly code: number | null;
  /** All that it printed. */
  readonly text: string;
}

export function runBackup(
  verb: "backup" | "restore",
  directory: string,
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const { PATH, HOME, TMPDIR } = process.env;
  return new Promise((resolve, reject) => {
    const args = ["bin/run.mjs", "gateway/backup/main.ts", verb, directory];
    const options = { cwd: ROOT, env: { PATH, HOME, TMPDIR, ...env } };
    const child = spawn(process.execPath, args, options);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, text }));
  });
}
