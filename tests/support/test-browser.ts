/**
 * A browser that subscribes to web push and reads what comes. What decrypts is written from
 * RFC 8291 and RFC 8188, and has nothing in common with the library that encrypts.
 */
import assert from "node:assert/strict";
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from "node:crypto";

const SALT_BYTES = 16;
const TAG_BYTES = 16;
/** Salt, size of records (4 bytes), length of the key. */
const HEADER_BYTES = SALT_BYTES + 5;

const derive = (secret: Buffer, salt: Buffer, info: Buffer, bytes: number): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, salt, info, bytes));

export class TestBrowser {
  readonly endpoint: string;
  readonly #pair = createECDH("prime256v1");
  readonly #auth = randomBytes(16);

  constructor(endpoint: string) {
    this.endpoint = endpoint;
    this.#pair.generateKeys();
  }

  /** As its `toJSON()` has it. */
  get subscription() {
    const keys = {
      p256dh: this.#pair.getPublicKey().toString("base64url"),
      auth: this.#auth.toString("base64url"),
    };
    return { endpoint: this.endpoint, expirationTime: null, keys };
  }

  /** The message in a body of `Content-Encoding: aes128gcm`; throws for another browser's. */
  read(body: Buffer): Buffer {
    const salt = body.subarray(0, SALT_BYTES);
    const recordBytes = body.readUInt32BE(SALT_BYTES);
    const keyBytes = body.readUInt8(SALT_BYTES + 4);
    const sender = body.subarray(HEADER_BYTES, HEADER_BYTES + keyBytes);
    const record = body.subarray(HEADER_BYTES + keyBytes);
    assert.ok(body.length <= 4_096 && record.length <= recordBytes, "one record, in bounds");

    const shared = this.#pair.computeSecret(sender);
    const names = [Buffer.from("WebPush: info\0"), this.#pair.getPublicKey(), sender];
    const input = derive(shared, this.#auth, Buffer.concat(names), 32);
    const key = derive(input, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
    const nonce = derive(input, salt, Buffer.from("Content-Encoding: nonce\0"), 12);
    const decipher = createDecipheriv("aes-128-gcm", key, nonce);
    decipher.setAuthTag(record.subarray(-TAG_BYTES));
    const padded = Buffer.concat([
      decipher.update(record.subarray(0, -TAG_BYTES)),
      decipher.final(),
    ]);
    // The message ends with 2, as the last record, and zeros may follow.
    const end = padded.lastIndexOf(2);
    assert.ok(padded.subarray(end + 1).every((byte) => byte === 0));
    return padded.subarray(0, end);
  }
}
