import { randomBytes } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { uuidV7 } from "../../engine/ids.ts";
import type { MailTransport, OutgoingMail } from "./mailbox.ts";

/**
 * Keeps each mail as a file (RFC 5322) instead of sending it. The names are ids: in their order the
 * mails were written. A file is complete as soon as it is there.
 */
export class EmlFiles implements MailTransport {
  readonly #directory: string;
  readonly #from: string;
  readonly #composer = createTransport({ streamTransport: true, buffer: true, newline: "windows" });

  constructor({ directory, from }: { readonly directory: string; readonly from: string }) {
    this.#directory = directory;
    this.#from = from;
  }

  async deliver(mail: OutgoingMail): Promise<void> {
    const { message } = await this.#composer.sendMail({ ...mail, from: this.#from });
    await mkdir(this.#directory, { recursive: true });
    const path = join(this.#directory, `${uuidV7(Date.now(), randomBytes(10))}.eml`);
    // What is in a mail may let its reader in: the file is for nobody else on this machine.
    await writeFile(`${path}.new`, message, { mode: 0o600, flag: "wx" });
    await rename(`${path}.new`, path);
  }

  close(): void {
    this.#composer.close();
  }
}
