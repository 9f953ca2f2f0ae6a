/**
 * The messages of a WebSocket as MessagePack: the same maps as in JSON, one behind the other in a
 * binary frame, or several as one array. Nothing but what JSON has: no bytes, no extensions.
 */
import { Decoder, type ExtensionCodecType } from "@msgpack/msgpack";
import { Packr } from "msgpackr";
import { MESSAGES_PER_FRAME_MAX } from "../../engine/door-limits.ts";
import type { ReadMessage } from "./exchange.ts";
import { isWellFormed } from "./json-body.ts";

/** The subprotocol. */
export const MESSAGE_PACK = "evently.v1.msgpack";

class Refused extends Error {}

const NO_BYTES = "Bytes and extensions of MessagePack are not accepted";

const NO_EXTENSIONS: ExtensionCodecType<undefined> = {
  tryToEncode: () => null,
  decode: () => {
    throw new Refused(NO_BYTES);
  },
};

function memberName(key: unknown): string {
  if (typeof key !== "string") throw new Refused("Keys of maps must be texts");
  if (key === "__proto__" || key === "constructor") {
    throw new Refused("The keys __proto__ and constructor are not accepted");
  }
  return key;
}

const decoder = new Decoder({
  extensionCodec: NO_EXTENSIONS,
  mapKeyConverter: memberName,
  maxBinLength: 0,
});
/** Integers beyond 32 bits are floats here: as 64 bits, some clients read them as another type. */
const packr = new Packr({ useRecords: false, variableMapSize: true });

/** Of `Sec-WebSocket-Protocol`: whether the client speaks it. */
export const isPackOffered = (protocols: string): boolean =>
  protocols.split(",").some((protocol) => protocol.trim() === MESSAGE_PACK);

/** A message of ours, given as JSON. */
export function packed(json: string | Uint8Array): Uint8Array {
  const text = typeof json === "string" ? json : Buffer.from(json).toString("utf8");
  return packr.pack(JSON.parse(text));
}

const fault = (detail: string): ReadMessage => ({ ok: false, code: "malformed_msgpack", detail });

/**
 * The messages of a frame in their order. Behind the first fault nothing is read: where the next
 * one begins is not known.
 */
export function messagesIn(frame: Uint8Array): ReadMessage[] {
  const messages: ReadMessage[] = [];
  if (frame.length === 0) return [fault("The frame is empty")];
  try {
    for (const value of decoder.decodeMulti(frame)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (messages.length === MESSAGES_PER_FRAME_MAX) {
          throw new Refused(`A frame may have ${MESSAGES_PER_FRAME_MAX} messages`);
        }
        messages.push(readOf(one));
      }
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    messages.push(fault(detailOf(error)));
  }
  return messages;
}

function detailOf(error: Error): string {
  if (error instanceof RangeError) return "The frame ends too early";
  return error.message.includes("maxBinLength") ? NO_BYTES : error.message;
}

function readOf(value: unknown): ReadMessage {
  if (isWellFormed(value)) return { ok: true, value };
  return { ...fault("Texts must be made of whole Unicode characters"), value };
}
