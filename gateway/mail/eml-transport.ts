import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import type { Handover } from "./handover.ts";
import type { MailTransport, WrittenMail } from "./mail-transport.ts";

/**
 * Keeps each mail as a file (RFC 5322) instead of sending it:
 *
 *   <DATA_DIR>/mail/<Unix ms, 13 digits>-<first part of its Message-ID>.eml
 *
 * In the order of their names they were written. A file is complete as soon as it is there.
 */
export class EmlTransport implements MailTransport {
  readonly name = "files";
  readonly #directory: string;
  readonly #composer = createTransport({
    streamTransport: true,
    buffer: true,
    newline: "windows",
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  constructor(directory: string) {
    this.#directory = directory;
  }

  async deliver(mail: WrittenMail, handover: Handover): Promise<void> {
    const { message } = await this.#composer.sendMail(mail);
    await mkdir(this.#directory, { recursive: true });
    const [id = ""] = mail.messageId.split("@");
    const name = `${Date.now()}-${id.replace(/[^\w.-]/g, "")}.eml`;
    const unfinished = join(this.#directory, `${name}.new`);
    handover.read();
    // What is in a mail may let its reader in: the file is for nobody else on this machine.
    await writeFile(unfinished, message, { mode: 0o600 });
    try {
      await handover.pass();
      await rename(unfinished, join(this.#directory, name));
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
  }

  close(): void {
    this.#composer.close();
  }
}
