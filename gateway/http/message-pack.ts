/**
 * The messages of a WebSocket as MessagePack: the same maps as in JSON, one behind the other in a
 * binary frame, or several as one array.
 */
import { Unpackr } from "msgpackr";
import { MESSAGES_PER_FRAME_MAX } from "../../engine/door-limits.ts";
import type { ReadMessage } from "./exchange.ts";
import { packedJson } from "./json-to-pack.ts";
import { PackedFault, packedEnd, UNDEFINED } from "./packed-scan.ts";

/** The subprotocol. */
export const MESSAGE_PACK = "evently.v1.msgpack";

const unpackr = new Unpackr({ useRecords: false, int64AsType: "number" });

/** Of `Sec-WebSocket-Protocol`: whether the client speaks it. */
export const isPackOffered = (protocols: string): boolean =>
  protocols.split(",").some((protocol) => protocol.trim() === MESSAGE_PACK);

/**
 * A message of ours, given as JSON. Integers beyond 32 bits are floats: as 64 bits, some clients
 * read them as another type.
 */
export function packed(json: string | Uint8Array): Uint8Array {
  if (typeof json !== "string" || json.length < KEPT_CHARS_MIN)
    return packedJson(Buffer.from(json));
  if (json !== kept.json) kept = { json, bytes: packedJson(Buffer.from(json)) };
  return kept.bytes;
}

/** A snapshot goes to one subscriber after another. */
const KEPT_CHARS_MIN = 2_048;
let kept: { readonly json: string; readonly bytes: Uint8Array } = {
  json: "",
  bytes: Buffer.alloc(0),
};

const fault = (detail: string): ReadMessage => ({ ok: false, code: "malformed_msgpack", detail });

/**
 * The messages of a frame in their order. Behind the first fault nothing is read: where the next
 * one begins is not known.
 */
export function messagesIn(frame: Buffer): ReadMessage[] {
  let [end, count] = [0, 0];
  let wrong: ReadMessage | null = null;
  try {
    for (; end < frame.length && count < MESSAGES_PER_FRAME_MAX; count += 1) {
      end = packedEnd(frame, end);
    }
    if (end < frame.length) wrong = fault(TOO_MANY);
  } catch (error) {
    if (!(error instanceof PackedFault)) throw error;
    wrong = fault(error.message);
  }
  const messages: ReadMessage[] = [];
  const values = end === 0 ? [] : valuesIn(frame.subarray(0, end));
  for (const value of values) {
    for (const one of Array.isArray(value) ? value : [value])
      messages.push({ ok: true, value: one });
  }
  if (messages.length > MESSAGES_PER_FRAME_MAX) {
    messages.length = MESSAGES_PER_FRAME_MAX;
    wrong = fault(TOO_MANY);
  }
  if (messages.length === 0) wrong ??= fault("The frame has no message");
  if (wrong !== null) messages.push(wrong);
  return messages;
}

/** What is undefined is not there, as in JSON. */
function valuesIn(sound: Buffer): unknown[] {
  const values: unknown[] = unpackr.unpackMultiple(sound) ?? [];
  return sound.includes(UNDEFINED) ? JSON.parse(JSON.stringify(values)) : values;
}

const TOO_MANY = `A frame may have ${MESSAGES_PER_FRAME_MAX} messages`;
