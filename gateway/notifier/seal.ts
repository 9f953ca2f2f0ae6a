/**
 * Keeps what waits in the outbox from whoever reads the table or its backups: AES-256-GCM under a
 * key that is derived from the one which signs access tokens.
 *
 *   base64url of  nonce (12 bytes) | tag (16) | encrypted JSON
 *
 * `about` is not encrypted but bound to it: what was sealed under one key of a mail opens under no
 * other.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PURPOSE = "evently outbox seal 1";

export class Seal {
  readonly #key: Buffer;

  constructor(jwtSecret: string) {
    this.#key = Buffer.from(hkdfSync("sha256", jwtSecret, "", PURPOSE, 32));
  }

  close(content: object, about: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    cipher.setAAD(Buffer.from(about, "utf8"));
    const sealed = Buffer.concat([cipher.update(JSON.stringify(content), "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
  }

  /** null: it was not sealed with this key, or not about this. */
  open(text: string, about: string): unknown {
    const bytes = Buffer.from(text, "base64url");
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAAD(Buffer.from(about, "utf8"));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      const sealed = bytes.subarray(NONCE_BYTES + TAG_BYTES);
      const opened = Buffer.concat([decipher.update(sealed), decipher.final()]);
      return JSON.parse(opened.toString("utf8"));
    } catch {
      return null;
    }
  }
}
