/** The mails that a node keeps in its DATA_DIR, as whoever they are for reads them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiClient } from "./client.ts";
import { until } from "./server.ts";

export type TokenMailKind = "verification" | "reset" | "invitation";
/** While the machine is busy, mails make room for what else it does. */
const COME_MS_MAX = 60_000;

export class MailFolder {
  readonly #dataDir: () => string;

  constructor(dataDir: () => string) {
    this.#dataDir = dataDir;
  }

  /** Somebody who has just registered shows, signed in, that they read their mail. */
  async confirm(api: ApiClient, who: { readonly email: string; token: string }): Promise<void> {
    const body = { token: await this.tokenFor(who.email) };
    const { token } = who;
    const { status, text } = await api.post("/api/v1/auth/verify-email", { token, body });
    if (status !== 200) throw new Error(`the address was not confirmed: ${text}`);
  }

  /** Whole mails to an address, oldest first. */
  to(email: string): string[] {
    const folder = join(this.#dataDir(), "mail");
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith(".eml"))
      .sort()
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .filter((text) => text.split("\r\n").includes(`To: ${email}`));
  }

  /** The token in the `nth` mail of a kind to an address, for which it waits. */
  async tokenFor(
    email: string | undefined,
    {
      kind = "verification",
      nth = 1,
    }: { readonly kind?: TokenMailKind; readonly nth?: number } = {},
  ): Promise<string> {
    if (email === undefined) throw new Error("nobody is to read it");
    // Mails of one moment come in any order.
    const come = () => this.to(email).filter((text) => text.includes(`Feedback-ID: ${kind}:`));
    await until(`${kind} ${nth} to ${email} has come`, () => come().length >= nth, COME_MS_MAX);
    const text = come()[nth - 1] ?? "";
    const token = /^Token: ([\w-]+)/m.exec(text.replaceAll("=\r\n", ""))?.[1];
    if (token === undefined) throw new Error(`there is no token in ${text}`);
    return token;
  }
}
