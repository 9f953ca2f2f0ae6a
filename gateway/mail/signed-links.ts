/**
 * Links in mails that work without signing in. Their last part is base64url of:
 *
 *   use, 1 byte │ kind, 1 byte │ address's digest, 32 │ organisation, 16 │ HMAC-SHA256, first 16
 *
 * They have no expiry, as a mail has none; nobody learns an address from one, and none but who got
 * the mail has it. Who has it can do no more than say which mails the address gets.
 */
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { digestOf } from "./mail-address.ts";
import type { MailKind, MailLinks } from "./mail-order.ts";
import {
  ALL_ORGANIZATIONS,
  isOptional,
  OPTIONAL_KINDS,
  type OptionalKind,
} from "./optional-kinds.ts";

const USES = { unsubscribe: 1, preferences: 2 } as const;
/** As they stand in links that are out there: none is ever another. */
const KIND_CODES: Readonly<Record<OptionalKind, number>> = { reminder: 1, campaign: 2 };
const DIGEST_BYTES = 32;
const SIGNED_BYTES = 2 + DIGEST_BYTES + 16;
const SIGNATURE_BYTES = 16;

export interface Unsubscription {
  readonly recipient: Buffer;
  readonly kind: OptionalKind;
  /** ALL_ORGANIZATIONS: of whomever. */
  readonly organizationId: string;
}

export class SignedLinks implements MailLinks {
  readonly #key: Buffer;
  readonly #base: string;

  /** `apiUrl`: where the API is reached, without a slash at its end. */
  constructor({ jwtSecret, apiUrl }: { readonly jwtSecret: string; readonly apiUrl: string }) {
    this.#key = Buffer.from(hkdfSync("sha256", jwtSecret, "", "evently mail links", 32));
    this.#base = `${apiUrl}/api/v1/mail`;
  }

  /** Of a kind that its reader can't do without: the page with those that they can. */
  unsubscribe(to: string, kind: MailKind, organizationId: string | null): string {
    if (!isOptional(kind)) return this.preferences(to);
    const head = Buffer.from([USES.unsubscribe, KIND_CODES[kind]]);
    const organization = uuidBytes(organizationId ?? ALL_ORGANIZATIONS);
    return `${this.#base}/unsubscribe/${this.#token([head, digestOf(to), organization])}`;
  }

  preferences(to: string): string {
    return this.preferencesOf(digestOf(to));
  }

  preferencesOf(recipient: Buffer): string {
    const head = Buffer.from([USES.preferences, 0]);
    const token = this.#token([head, recipient, uuidBytes(ALL_ORGANIZATIONS)]);
    return `${this.#base}/preferences/${token}`;
  }

  /** null: it is none that was signed here. */
  readUnsubscribe(token: string): Unsubscription | null {
    const bytes = this.#read(token, USES.unsubscribe);
    const kind = OPTIONAL_KINDS.find((one) => KIND_CODES[one] === bytes?.[1]);
    if (bytes === null || kind === undefined) return null;
    const organizationId = uuidOf(bytes.subarray(2 + DIGEST_BYTES, SIGNED_BYTES));
    return { recipient: recipientIn(bytes), kind, organizationId };
  }

  /** The address's digest. null: it is none that was signed here. */
  readPreferences(token: string): Buffer | null {
    const bytes = this.#read(token, USES.preferences);
    return bytes === null ? null : recipientIn(bytes);
  }

  #token(parts: readonly Buffer[]): string {
    const signed = Buffer.concat(parts);
    return Buffer.concat([signed, this.#signatureOf(signed)]).toString("base64url");
  }

  #read(token: string, use: number): Buffer | null {
    const bytes = Buffer.from(token, "base64url");
    if (bytes.length !== SIGNED_BYTES + SIGNATURE_BYTES || bytes[0] !== use) return null;
    const signature = this.#signatureOf(bytes.subarray(0, SIGNED_BYTES));
    return timingSafeEqual(bytes.subarray(SIGNED_BYTES), signature) ? bytes : null;
  }

  #signatureOf(signed: Buffer): Buffer {
    const whole = createHmac("sha256", this.#key).update(signed).digest();
    return whole.subarray(0, SIGNATURE_BYTES);
  }
}

const recipientIn = (bytes: Buffer): Buffer => bytes.subarray(2, 2 + DIGEST_BYTES);

function uuidBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll("-", ""), "hex");
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
