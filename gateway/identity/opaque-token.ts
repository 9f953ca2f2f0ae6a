import { createHash, randomBytes } from "node:crypto";

/** 256 random bits, which nobody guesses, in 43 characters that need no escaping anywhere. */
export const freshOpaqueToken = (): string => randomBytes(32).toString("base64url");

/** What is stored of a token. */
export const digestOf = (token: string): Buffer => createHash("sha256").update(token).digest();
