/** The file adapter knows no owners: who has the lock of the data directory is the only one. */
import { STARTER_SEGMENT_BYTES } from "../../engine/limits.ts";
import { SHARDS, testJournal } from "../../tests/support/journal-conformance.ts";
import {
  InterceptedDisk,
  openJournal,
  outOfRoom,
  SMALL_SEGMENT_BYTES,
  temporaryDirectory,
} from "../../tests/support/journal-fixture.ts";
import { FsDisk } from "./fs-disk.ts";

testJournal("files", async (t, { big = false }) => {
  const directory = temporaryDirectory(t);
  let isFull = false;
  const disk = new InterceptedDisk(new FsDisk(directory), (call) => {
    if (isFull && call === "open") throw outOfRoom();
  });
  const segmentBytes = big ? STARTER_SEGMENT_BYTES : SMALL_SEGMENT_BYTES;
  return {
    epoch: 1,
    async open(given = []) {
      const watermarks = new Map(Array.from({ length: SHARDS }, (_, shard) => [shard, 0]));
      for (const [shard, lsn] of given) watermarks.set(shard, lsn);
      return openJournal(directory, { disk, segmentBytes, watermarks });
    },
    closed: () => Promise.resolve(),
    async obstruct() {
      isFull = true;
      return async () => {
        isFull = false;
      };
    },
  };
});
