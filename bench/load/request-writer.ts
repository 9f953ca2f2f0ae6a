import { randomBytes } from "node:crypto";

/** Writes requests as they go over the wire: one string each, from parts that are ready. */
export class RequestWriter {
  /** By user: the headers that all of their requests have. */
  readonly #heads: readonly string[];
  /** Keys of this load and of no other. */
  readonly #keyPrefix = randomBytes(6).toString("hex");
  #keys = 0;

  /** `tokens`: access tokens of the users, "" for nobody's. */
  constructor(url: string, tokens: readonly string[]) {
    const { host } = new URL(url);
    this.#heads = tokens.map((token) => {
      const authorization = token === "" ? "" : `Authorization: Bearer ${token}\r\n`;
      return ` HTTP/1.1\r\nHost: ${host}\r\n${authorization}`;
    });
  }

  /** Every request has a key of its own, as careful clients send it. */
  freshKey(): string {
    this.#keys += 1;
    return `${this.#keyPrefix}-${this.#keys}`;
  }

  post(path: string, { user, key, body }: { user: number; key: string; body: string }): string {
    return (
      `POST ${path}${this.#headOf(user)}Content-Type: application/json\r\n` +
      `Idempotency-Key: ${key}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    );
  }

  get(path: string, user: number, more = ""): string {
    return `GET ${path}${this.#headOf(user)}${more}\r\n`;
  }

  delete(path: string, user: number): string {
    return `DELETE ${path}${this.#headOf(user)}\r\n`;
  }

  #headOf(user: number): string {
    return this.#heads[user % this.#heads.length] ?? "";
  }
}

const ID = /"id":"([0-9a-f-]{36})"/;

/** The id of what an answer shows: its first; null: there is none. */
export function idOf(body: string): string | null {
  // Nearly always at the very beginning.
  if (body.startsWith('{"id":"') && body[43] === '"') return body.slice(7, 43);
  return ID.exec(body)?.[1] ?? null;
}

/** A header's value; null: there is none. */
export function headerOf(head: string, name: string): string | null {
  const start = head.toLowerCase().indexOf(`\r\n${name}: `);
  if (start === -1) return null;
  return head.slice(start + name.length + 4, head.indexOf("\r\n", start + 2));
}
