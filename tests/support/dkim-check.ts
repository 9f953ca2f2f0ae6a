/**
 * Verifies the DKIM signature of a mail (RFC 6376) with a public key, for one way of writing both
 * halves: relaxed/relaxed, rsa-sha256. Not what the product signs with.
 */
import { createHash, createVerify, type KeyObject } from "node:crypto";

export interface DkimVerdict {
  readonly isBodySame: boolean;
  readonly isSigned: boolean;
  /** In lower case. */
  readonly signedHeaders: readonly string[];
  readonly domain: string;
  readonly selector: string;
}

export function checkDkim(raw: string, key: KeyObject): DkimVerdict {
  const end = raw.indexOf("\r\n\r\n");
  const [head, body] = [raw.slice(0, end), raw.slice(end + 4)];
  const headers = head.split(/\r\n(?![ \t])/);
  const signature = headers.find((line) => /^dkim-signature:/i.test(line)) ?? "";
  const tags = new Map(
    signature
      .slice(signature.indexOf(":") + 1)
      .split(";")
      .map((tag) => {
        const at = tag.indexOf("=");
        return [tag.slice(0, at).trim(), tag.slice(at + 1).replace(/\s+/g, "")] as const;
      }),
  );
  const tag = (name: string): string => tags.get(name) ?? "";
  if (tag("a") !== "rsa-sha256" || tag("c") !== "relaxed/relaxed") throw new Error(signature);
  const bodyHash = createHash("sha256").update(relaxedBody(body), "latin1").digest("base64");
  const names = tag("h").toLowerCase().split(":");
  const left = headers.map((line) => line);
  const signed = names.flatMap((name) => {
    // The last of that name is signed first (5.4.2).
    const at = left.findLastIndex((line) => line.toLowerCase().startsWith(`${name}:`));
    return at < 0 ? [] : left.splice(at, 1).map(relaxedHeader);
  });
  const own = relaxedHeader(signature.replace(/(\bb=)[^;]*/, "$1"));
  const verify = createVerify("RSA-SHA256");
  verify.update([...signed, own].join("\r\n"), "latin1");
  return {
    isBodySame: bodyHash === tag("bh"),
    isSigned: verify.verify(key, Buffer.from(tag("b"), "base64")),
    signedHeaders: names,
    domain: tag("d"),
    selector: tag("s"),
  };
}

/** 3.4.2 */
function relaxedHeader(line: string): string {
  const at = line.indexOf(":");
  const value = line
    .slice(at + 1)
    .replace(/\r\n/g, "")
    .replace(/[ \t]+/g, " ")
    .trim();
  return `${line.slice(0, at).toLowerCase().trim()}:${value}`;
}

/** 3.4.4 */
function relaxedBody(body: string): string {
  const lines = body.split("\r\n").map((line) => line.replace(/[ \t]+/g, " ").replace(/ $/, ""));
  const text = lines.join("\r\n").replace(/(?:\r\n)+$/, "");
  return text === "" ? "" : `${text}\r\n`;
}
