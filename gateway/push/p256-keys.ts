/** Keys of the curve P-256, as browsers and push services write them: base64url, unpadded. */
import { createECDH, ECDH } from "node:crypto";

const CURVE = "prime256v1";
const POINT_BYTES = 65;
const SCALAR_BYTES = 32;

/** The bytes of a base64url text; null: it is none. */
export function bytesOf(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : null;
}

/** Whether it is a public key: 65 bytes, 0x04 and a point that is on the curve. */
export function isPublicKey(text: string): boolean {
  const bytes = bytesOf(text);
  if (bytes?.length !== POINT_BYTES || bytes[0] !== 4) return false;
  try {
    ECDH.convertKey(bytes, CURVE);
    return true;
  } catch {
    // The library's way to say no.
    return false;
  }
}

/** The public key that goes with a private one of 32 bytes; null: it is none. */
export function publicKeyOf(privateKey: string): string | null {
  const bytes = bytesOf(privateKey);
  if (bytes?.length !== SCALAR_BYTES) return null;
  const pair = createECDH(CURVE);
  try {
    pair.setPrivateKey(bytes);
    return pair.getPublicKey().toString("base64url");
  } catch {
    // Zero, or beyond the curve's order.
    return null;
  }
}
