import { createHash } from "node:crypto";

/** What stands for an address wherever it is not needed itself: 32 bytes. */
export function digestOf(address: string): Buffer {
  return createHash("sha256").update(address).digest();
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

/** Enough of an address for an operator to see what it is about: `a…@example.org`. */
export function shownAs(address: string): string {
  const [first = ""] = address;
  return `${first}…@${domainOf(address)}`;
}

const ADDRESS = /[^\s<>()[\]:;,"']+@[^\s<>()[\];,"']+/g;

/** What a mail server said, without whom it said it of, and no longer than `charsMax`. */
export function withoutAddresses(text: string, charsMax: number): string {
  const line = text.replace(ADDRESS, "…").replace(/[\p{Cc}\s]+/gu, " ");
  return line.length > charsMax ? `${line.slice(0, charsMax - 1)}…` : line;
}
