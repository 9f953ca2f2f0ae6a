import type { Hall } from "../hall.ts";

/** Two rows of four, a zone and a category each; the last seat of the first is for a wheelchair. */
export const smallHall: Hall = {
  ids: ["a1", "a2", "a3", "a4", "b1", "b2", "b3", "b4"],
  zoneNames: ["a", "b"],
  categoryNames: ["Dear", "Cheap"],
  zones: Uint16Array.of(0, 0, 0, 0, 1, 1, 1, 1),
  categories: Uint8Array.of(0, 0, 0, 0, 1, 1, 1, 1),
  wheelchairs: Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0),
  spots: Uint32Array.of(0, 1, 2, 3, 5, 6, 7, 8),
};
