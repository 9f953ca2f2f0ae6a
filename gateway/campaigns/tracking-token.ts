import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

/**
 * What a mail has in its addresses, in base64url. It names a recipient by their number, and where
 * to go on to: nobody's address, and nowhere that was not in the mail.
 *
 *   ┌ 16 bytes: HMAC-SHA256 of kind and rest ┬ 16: campaign ┬ 4: position ┬ of clicks: URL, UTF-8 ┐
 *   └────────────────────────────────────────┴──────────────┴─────────────┴───────────────────────┘
 */
export interface TrackedRecipient {
  readonly campaignId: string;
  readonly position: number;
}

/** What an address counts: it is signed, so that none passes for another. */
export type TrackingKind = "open" | "click" | "objection";

export interface TrackedClick extends TrackedRecipient {
  readonly url: string;
}

const MAC_BYTES = 16;
const HEAD_BYTES = MAC_BYTES + 16 + 4;
/** Of base64url: a longer token can't be one of ours. */
const TOKEN_CHARS_MAX = 3_500;

/** Signs and reads the addresses that count opens and clicks. */
export class TrackingTokens {
  readonly #key: Buffer;

  /** `jwtSecret`: another key is derived from it. */
  constructor(jwtSecret: string) {
    this.#key = Buffer.from(hkdfSync("sha256", jwtSecret, "", "evently campaign tracking", 32));
  }

  open(recipient: TrackedRecipient): string {
    return this.#sign("open", recipient, "");
  }

  click(recipient: TrackedRecipient, url: string): string {
    return this.#sign("click", recipient, url);
  }

  objection(recipient: TrackedRecipient): string {
    return this.#sign("objection", recipient, "");
  }

  /** null: it is none of ours, or none of this kind. `url` is "" but for clicks. */
  read(kind: TrackingKind, token: string): TrackedClick | null {
    if (token.length > TOKEN_CHARS_MAX) return null;
    const bytes = Buffer.from(token, "base64url");
    // Other spellings of the same bytes are not what was sent.
    if (bytes.length < HEAD_BYTES || bytes.toString("base64url") !== token) return null;
    const rest = bytes.subarray(MAC_BYTES);
    if (!timingSafeEqual(this.#mac(kind, rest), bytes.subarray(0, MAC_BYTES))) return null;
    const hex = rest.toString("hex", 0, 16);
    const campaignId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    return { campaignId, position: rest.readUInt32BE(16), url: rest.toString("utf8", 20) };
  }

  #sign(kind: TrackingKind, { campaignId, position }: TrackedRecipient, url: string): string {
    const rest = Buffer.alloc(20 + Buffer.byteLength(url));
    rest.write(campaignId.replaceAll("-", ""), 0, "hex");
    rest.writeUInt32BE(position, 16);
    rest.write(url, 20, "utf8");
    return Buffer.concat([this.#mac(kind, rest), rest]).toString("base64url");
  }

  #mac(kind: TrackingKind, rest: Buffer): Buffer {
    const mac = createHmac("sha256", this.#key).update(`${kind} `).update(rest).digest();
    return mac.subarray(0, MAC_BYTES);
  }
}
