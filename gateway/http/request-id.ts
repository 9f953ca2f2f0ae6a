import { randomBytes } from "node:crypto";

const VISIBLE_ASCII = /^[\x21-\x7e]{1,128}$/;

/** Ids of this process: a random prefix keeps two processes apart, a counter two requests. */
const prefix = randomBytes(6).toString("hex");
let count = 0;

/** The client's id when it is fit to be echoed (1–128 visible ASCII characters), or a fresh one. */
export function requestIdOf(received: string): string {
  if (received !== "" && VISIBLE_ASCII.test(received)) return received;
  count += 1;
  return `${prefix}-${count.toString(36)}`;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ALL_ZERO = /^0+$/;

/**
 * The W3C trace context as received, or "" when it is malformed. Of a version that is newer than
 * ours, 00, what ours has of it: a later one may say more, behind another dash.
 */
export function traceparentOf(received: string): string {
  if (received === "") return "";
  const [, version, traceId, parentId, flags, more] = TRACEPARENT.exec(received) ?? [];
  if (version === undefined || traceId === undefined || parentId === undefined) return "";
  if (version === "ff" || ALL_ZERO.test(traceId) || ALL_ZERO.test(parentId)) return "";
  if (version !== "00") return `00-${traceId}-${parentId}-${flags}`;
  return more === undefined ? received : "";
}
