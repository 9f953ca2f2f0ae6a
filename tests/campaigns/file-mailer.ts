import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { MailContent, MailEnd, Mailer, MailOrder } from "../../gateway/mail/mail-order.ts";

/** How a mail goes on: the lines of the file, one each, with its key. */
const [HANDING, ACCEPTED, SENT] = ["handing_over", "accepted", "sent"];

export interface FileMailerOptions {
  /** Of all processes that send, one after the other. */
  readonly path: string;
  /** How long each of the two ways takes, ms, at most. */
  readonly delayMsMax?: number;
  readonly random?: () => number;
}

/**
 * Sends to a file, and keeps the promise of a Mailer over kills: a line is in the file once it was
 * appended. What was being handed over and not known to be sent stays in doubt.
 *
 * Invariant: no key is under way twice at a time.
 */
export class FileMailer implements Mailer {
  readonly #options: FileMailerOptions;
  readonly #handing = new Set<string>();
  readonly #sent = new Set<string>();
  readonly #underWay = new Set<string>();
  underWayMax = 0;

  constructor(options: FileMailerOptions) {
    this.#options = options;
    for (const [word, key] of linesOf(options.path)) {
      if (word === HANDING) this.#handing.add(key);
      if (word === SENT) this.#sent.add(key);
    }
  }

  async send({ key }: MailOrder, compose: () => Promise<MailContent>): Promise<MailEnd> {
    if (this.#underWay.has(key)) throw new Error(`${key} is under way twice`);
    if (this.#sent.has(key)) return { end: "already" };
    if (this.#handing.has(key)) return { end: "in_doubt" };
    this.#underWay.add(key);
    this.underWayMax = Math.max(this.underWayMax, this.#underWay.size);
    await compose();
    this.#append(HANDING, key);
    await this.#pause();
    this.#append(ACCEPTED, key);
    await this.#pause();
    this.#append(SENT, key);
    this.#sent.add(key);
    this.#underWay.delete(key);
    return { end: "sent" };
  }

  #append(word: string | undefined, key: string): void {
    appendFileSync(this.#options.path, `${word} ${key}\n`);
  }

  async #pause(): Promise<void> {
    const { delayMsMax = 0, random = Math.random } = this.#options;
    if (delayMsMax > 0) await delay(random() * delayMsMax);
  }
}

function linesOf(path: string): [word: string, key: string][] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line): [string, string] => {
      const [word = "", key = ""] = line.split(" ");
      return [word, key];
    });
}

/** What the receiving side has: the key of each mail, as often as it came. */
export function acceptedIn(path: string): string[] {
  return linesOf(path)
    .filter(([word]) => word === ACCEPTED)
    .map(([, key]) => key);
}
