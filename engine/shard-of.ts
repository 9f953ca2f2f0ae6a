import type { EventId } from "./ids.ts";

/**
 * The shard that owns an event: FNV-1a (32 bits) of the id, modulo the number of shards.
 *
 * Source: Fowler, Noll, Vo; http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function shardOf(eventId: EventId, shardCount: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < eventId.length; i += 1) {
    hash = Math.imul(hash ^ eventId.charCodeAt(i), 0x01000193);
  }
  // FNV's low bits are weak for short inputs: fold the high half in before the modulo.
  return ((hash ^ (hash >>> 16)) >>> 0) % shardCount;
}
