/**
 * What a ticket's QR code says: a compact JWS (RFC 7515) that any JWT library reads and, with the
 * published keys, verifies without a network.
 *
 *     {"alg":"EdDSA","typ":"JWT","kid":"…"} . {"jti","evt","cod","plc","iat"} . signature
 *
 * EdDSA signs the same text always in the same way: a ticket has one QR code as long as its key.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { createDecoder, createSigner, createVerifier } from "fast-jwt";
import { type EventId, type ItemId, parseEventId, parseItemId } from "../../engine/ids.ts";

/** What is signed. */
export interface TicketClaims {
  readonly ticketId: ItemId;
  readonly eventId: EventId;
  /** What is asked for at the door (POST /events/{id}/check-ins). */
  readonly code: string;
  /** The seat's id or the area's key. */
  readonly place: string;
  /** When it was booked, Unix ms; signed in whole seconds. */
  readonly bookedAtMs: number;
}

/** A public key as RFC 8037 has it in a JSON Web Key. */
export interface PublicTicketKey {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly alg: "EdDSA";
  readonly use: "sig";
  readonly kid: string;
  readonly x: string;
}

const KID_LENGTH = 11;
const KID = new RegExp(`^[\\w-]{${KID_LENGTH}}$`);
/** A code of ours is shorter; whatever is longer is not looked at. */
const TOKEN_CHARS_MAX = 1_000;
const FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const decode = createDecoder({ complete: true });

/** Whether a text could name a key of ours. */
export const isKid = (text: string): boolean => KID.test(text);

/** One key of those that sign tickets. */
export class TicketKey {
  readonly kid: string;
  readonly published: PublicTicketKey;
  readonly secret: string;
  /** From when on it signs, Unix ms. */
  readonly signsFromMs: number;
  readonly #sign: (payload: object) => string;
  readonly #verify: (token: string) => unknown;

  /** `secret`: an Ed25519 key as PKCS #8 in PEM. Throws where it is none. */
  constructor(secret: string, signsFromMs: number) {
    const publicKey = createPublicKey(createPrivateKey(secret));
    const { x, crv } = publicKey.export({ format: "jwk" });
    if (crv !== "Ed25519" || x === undefined) throw new Error("tickets are signed with Ed25519");
    const thumbprint = createHash("sha256").update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`);
    this.kid = thumbprint.digest("base64url").slice(0, KID_LENGTH);
    this.published = { kty: "OKP", crv, alg: "EdDSA", use: "sig", kid: this.kid, x };
    this.secret = secret;
    this.signsFromMs = signsFromMs;
    this.#sign = createSigner({ algorithm: "EdDSA", key: secret, kid: this.kid });
    this.#verify = createVerifier({
      algorithms: ["EdDSA"],
      key: publicKey.export({ format: "pem", type: "spki" }),
      cache: false,
    });
  }

  static fresh(signsFromMs: number): TicketKey {
    const { privateKey } = generateKeyPairSync("ed25519");
    return new TicketKey(String(privateKey.export({ format: "pem", type: "pkcs8" })), signsFromMs);
  }

  sign({ ticketId, eventId, code, place, bookedAtMs }: TicketClaims): string {
    const iat = Math.floor(bookedAtMs / 1000);
    return this.#sign({ jti: ticketId, evt: eventId, cod: code, plc: place, iat });
  }

  /** null: it was not signed with this key, or says something else than tickets do. */
  read(token: string): TicketClaims | null {
    try {
      return claimsOf(this.#verify(token));
    } catch {
      return null;
    }
  }
}

/** The id of the key that a QR code says it was signed with; null: it is no code of that form. */
export function kidOf(text: string): string | null {
  if (text.length > TOKEN_CHARS_MAX || !FORM.test(text)) return null;
  try {
    const { header } = decode(text);
    return typeof header?.kid === "string" ? header.kid : null;
  } catch {
    return null;
  }
}

function claimsOf(payload: unknown): TicketClaims | null {
  if (typeof payload !== "object" || payload === null) return null;
  const { jti, evt, cod, plc, iat } = payload as Record<string, unknown>;
  const ticketId = parseItemId(jti);
  const eventId = parseEventId(evt);
  if (ticketId === null || eventId === null) return null;
  if (typeof cod !== "string" || typeof plc !== "string" || typeof iat !== "number") return null;
  return { ticketId, eventId, code: cod, place: plc, bookedAtMs: iat * 1000 };
}
