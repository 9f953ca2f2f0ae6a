/**
 * Each thing that the virtual disk claims to do, done. What happens by chance is looked for over
 * many seeds: all that may be must be seen, and nothing else.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../engine/testing/random.ts";
import { isOutOfRoom } from "../../workers/journal/disk.ts";
import { Crash, VirtualDisk } from "./virtual-disk.ts";
import { SECTOR_BYTES } from "./virtual-inode.ts";

const PAGE_BYTES = 4096;

function sectors(letters: string): Buffer {
  return Buffer.concat([...letters].map((letter) => Buffer.alloc(SECTOR_BYTES, letter)));
}

/** The first letter of each sector, `.` for zero, `|` before a sector that is cut off. */
function letters(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
    const sector = bytes.subarray(at, at + SECTOR_BYTES);
    const letter = sector[0] === 0 ? "." : String.fromCharCode(sector[0] ?? 0);
    assert.ok(sector.every((byte) => byte === sector[0]));
    text += letter;
  }
  return text;
}

function diskWith(seed: number, content: string): VirtualDisk {
  const disk = new VirtualDisk(new Random(seed));
  const file = disk.open("a", "create");
  file.write(sectors(content), 0);
  file.datasync();
  disk.syncDirectory();
  return disk;
}

/** Everything that becomes of it over many seeds. */
function outcomes(run: (seed: number) => string, seeds = 200): string[] {
  const seen = new Set<string>();
  for (let seed = 1; seed <= seeds; seed += 1) seen.add(run(seed));
  return [...seen].sort();
}

const names = (disk: VirtualDisk): string => [...disk.files().keys()].sort().join(" ");

test("the death of a process loses nothing that it wrote", () => {
  const disk = diskWith(1, "ab");
  disk.open("a", "update").write(sectors("x"), SECTOR_BYTES);
  disk.open("b", "create").write(sectors("y"), 0);
  disk.killed();
  disk.restart();
  assert.equal(letters(disk.open("a", "update").read(0, 9_999)), "ax");
  assert.equal(letters(disk.open("b", "update").read(0, 9_999)), "y");
});

test("a power failure leaves any of the sectors that were not synced", () => {
  const seen = outcomes((seed) => {
    const disk = diskWith(seed, "abc");
    disk.open("a", "update").write(sectors("xyz"), 0);
    disk.powerFailed();
    return letters(disk.contentOf("a"));
  });
  assert.deepEqual(seen, ["abc", "abz", "ayc", "ayz", "xbc", "xbz", "xyc", "xyz"]);
});

test("a power failure leaves all of what was synced", () => {
  const seen = outcomes((seed) => {
    const disk = diskWith(seed, "abc");
    const file = disk.open("a", "update");
    file.write(sectors("xyz"), SECTOR_BYTES);
    file.truncate(3 * SECTOR_BYTES);
    file.datasync();
    disk.powerFailed();
    return letters(disk.contentOf("a"));
  });
  assert.deepEqual(seen, ["axy"]);
});

test("a power failure may leave a version in between", () => {
  const seen = outcomes((seed) => {
    const disk = diskWith(seed, "a");
    const file = disk.open("a", "update");
    file.write(sectors("x"), 0);
    file.write(sectors("y"), 0);
    disk.powerFailed();
    return letters(disk.contentOf("a"));
  });
  assert.deepEqual(seen, ["a", "x", "y"]);
});

test("a power failure leaves the first few changes of a size, and no bytes behind it", () => {
  const seen = outcomes((seed) => {
    const disk = diskWith(seed, "ab");
    const file = disk.open("a", "update");
    file.truncate(0);
    file.write(sectors("xyz"), 0);
    disk.powerFailed();
    return letters(disk.contentOf("a"));
  });
  // Neither, the first, both: the sectors of a size that came are there or are not.
  const both = ["...", "..z", ".y.", ".yz", "x..", "x.z", "xy.", "xyz"];
  assert.deepEqual(seen, ["", ...both, "ab", "ay", "xb", "xy"].sort());
});

test("what a truncation cut off is zero when the file grows again", () => {
  const disk = diskWith(1, "abc");
  const file = disk.open("a", "update");
  file.truncate(SECTOR_BYTES);
  file.write(sectors("z"), 2 * SECTOR_BYTES);
  file.datasync();
  disk.powerFailed();
  assert.equal(letters(disk.contentOf("a")), "a.z");
});

test("operations on names survive a power failure as far as chance has it, in order on a name", () => {
  const run = (seed: number): string => {
    const disk = diskWith(seed, "a");
    disk.open("b", "create");
    disk.rename("b", "c");
    disk.unlink("a");
    disk.powerFailed();
    return names(disk);
  };
  assert.deepEqual(outcomes(run), ["", "a", "a b", "a c", "b", "c"]);
});

test("of two removals the second may survive alone, unless the directory is synced between", () => {
  const run = (isSynced: boolean, seed: number): string => {
    const disk = diskWith(seed, "a");
    disk.open("b", "create");
    disk.syncDirectory();
    disk.unlink("a");
    if (isSynced) disk.syncDirectory();
    disk.unlink("b");
    disk.powerFailed();
    return names(disk);
  };
  assert.deepEqual(
    outcomes((seed) => run(false, seed)),
    ["", "a", "a b", "b"],
  );
  assert.deepEqual(
    outcomes((seed) => run(true, seed)),
    ["", "b"],
  );
});

test("a name that was synced without its file's bytes is a file without them", () => {
  const seen = outcomes((seed) => {
    const disk = diskWith(seed, "a");
    disk.open("b", "create").write(sectors("x"), 0);
    disk.syncDirectory();
    disk.powerFailed();
    return letters(disk.contentOf("b"));
  });
  assert.deepEqual(seen, ["", ".", "x"]);
});

test("a failed sync is forgotten: the next succeeds, the cache lies, the platter may lack it", () => {
  const run = (end: (disk: VirtualDisk) => void, seed: number): string => {
    const disk = diskWith(seed, "ab");
    const file = disk.open("a", "update");
    file.write(sectors("xy"), 0);
    disk.failSyncs(1);
    assert.throws(() => file.datasync(), { code: "EIO" });
    disk.failSyncs(0);
    file.datasync();
    assert.equal(letters(file.read(0, 9_999)), "xy");
    end(disk);
    return letters(disk.contentOf("a"));
  };
  const any = ["ab", "ay", "xb", "xy"];
  assert.deepEqual(
    outcomes((seed) => run((disk) => disk.powerFailed(), seed)),
    any,
  );
  assert.deepEqual(
    outcomes((seed) => run((disk) => disk.evict(), seed)),
    any,
  );
  const rewrite = (disk: VirtualDisk): void => {
    const file = disk.open("a", "update");
    file.write(file.read(0, 9_999), 0);
    file.datasync();
    disk.powerFailed();
  };
  assert.deepEqual(
    outcomes((seed) => run(rewrite, seed)),
    ["xy"],
  );
});

test("evicting what is dirty, or on the platter, changes nothing", () => {
  const disk = diskWith(1, "abc");
  disk.open("a", "update").write(sectors("x"), SECTOR_BYTES);
  disk.evict();
  assert.equal(letters(disk.contentOf("a")), "axc");
});

test("a failed directory sync keeps what it did not write for the next", () => {
  const run = (again: boolean, seed: number): string => {
    const disk = diskWith(seed, "a");
    disk.open("b", "create");
    disk.failSyncs(1);
    assert.throws(() => disk.syncDirectory(), { code: "EIO" });
    disk.heal();
    if (again) disk.syncDirectory();
    disk.powerFailed();
    return names(disk);
  };
  assert.deepEqual(
    outcomes((seed) => run(false, seed)),
    ["a", "a b"],
  );
  assert.deepEqual(
    outcomes((seed) => run(true, seed)),
    ["a b"],
  );
});

test("a write that fails leaves the beginning of it, and says EIO or that it was short", () => {
  const codes = outcomes((seed) => {
    const disk = diskWith(seed, "ab");
    disk.failWrites(1);
    let code: unknown = "none";
    try {
      disk.open("a", "update").write(sectors("xy"), 0);
    } catch (error) {
      code = error instanceof Error && "code" in error ? error.code : error;
    }
    const content = disk.contentOf("a").toString();
    const written = content.lastIndexOf("y") + 1 || content.lastIndexOf("x") + 1;
    assert.equal(content, `${sectors("xy")}`.slice(0, written) + `${sectors("ab")}`.slice(written));
    return String(code);
  });
  assert.deepEqual(codes, ["EIO", "short_write"]);
});

test("a full disk takes what it has room for, and goes on when there is more", () => {
  const disk = diskWith(1, "a");
  const file = disk.open("a", "update");
  assert.equal(disk.usedBytes, PAGE_BYTES);
  disk.setCapacity(2 * PAGE_BYTES + 100);
  assert.throws(() => file.write(Buffer.alloc(3 * PAGE_BYTES), 0), isOutOfRoom);
  assert.equal(file.size(), 2 * PAGE_BYTES);
  assert.throws(() => file.write(Buffer.alloc(1), 2 * PAGE_BYTES), { code: "ENOSPC" });
  file.write(Buffer.alloc(2 * PAGE_BYTES), 0);
  disk.setCapacity(0);
  file.write(Buffer.alloc(2 * PAGE_BYTES), 0);
  disk.setCapacity(3 * PAGE_BYTES);
  file.write(Buffer.alloc(1), 2 * PAGE_BYTES);
  assert.equal(disk.usedBytes, 3 * PAGE_BYTES);
  disk.unlink("a");
  assert.equal(disk.usedBytes, 3 * PAGE_BYTES);
  file.close();
  assert.equal(disk.usedBytes, 0);
});

test("a full disk may refuse a new name", () => {
  const seen = outcomes((seed) => {
    const disk = diskWith(seed, "a");
    disk.setCapacity(0);
    try {
      disk.open("b", "create");
    } catch (error) {
      assert.ok(isOutOfRoom(error));
    }
    return names(disk);
  });
  assert.deepEqual(seen, ["a", "a b"]);
});

test("a crash comes at its operation, does a part of it, and the dead process gets no further", () => {
  const seen = outcomes((seed) => {
    const disk = diskWith(seed, "ab");
    const file = disk.open("a", "update");
    disk.crashAfter(2);
    file.write(sectors("x"), 0);
    assert.equal(disk.isDead, false);
    assert.throws(() => file.write(Buffer.from("yz"), SECTOR_BYTES), Crash);
    assert.equal(disk.isDead, true);
    assert.throws(() => disk.list(), Crash);
    assert.throws(() => disk.unlink("a"), Crash);
    assert.throws(() => file.size(), Crash);
    file.close();
    disk.restart();
    assert.throws(() => file.size(), Crash);
    assert.throws(() => file.write(Buffer.from("yz"), 0), Crash);
    return disk.contentOf("a").toString("latin1", SECTOR_BYTES - 1, SECTOR_BYTES + 2);
  });
  assert.deepEqual(seen, ["xbb", "xyb", "xyz"]);
});

test("a crash in a sync, or in an operation on names, leaves it done, undone, or done in part", () => {
  const inSync = outcomes((seed) => {
    const disk = diskWith(seed, "ab");
    const file = disk.open("a", "update");
    file.write(sectors("xy"), 0);
    disk.crashAfter(1);
    assert.throws(() => file.datasync(), Crash);
    disk.restart();
    assert.equal(letters(disk.contentOf("a")), "xy");
    // What it had not written is still to be written, and the next sync does.
    if (seed % 2 === 0) disk.open("a", "update").datasync();
    disk.powerFailed();
    const left = letters(disk.contentOf("a"));
    if (seed % 2 === 0) assert.equal(left, "xy");
    return left;
  });
  assert.deepEqual(inSync, ["ab", "ay", "xb", "xy"]);
  const inName = (act: (disk: VirtualDisk) => void) =>
    outcomes((seed) => {
      const disk = diskWith(seed, "a");
      disk.crashAfter(1);
      assert.throws(() => act(disk), Crash);
      return names(disk);
    });
  assert.deepEqual(
    inName((disk) => disk.rename("a", "b")),
    ["a", "b"],
  );
  assert.deepEqual(
    inName((disk) => disk.unlink("a")),
    ["", "a"],
  );
  assert.deepEqual(
    inName((disk) => disk.open("b", "create")),
    ["a", "a b"],
  );
});

test("damage is one bit, in the cache and on the platter", () => {
  const disk = diskWith(7, "a");
  disk.damage("a", 5);
  const damaged = disk.contentOf("a");
  const change = (damaged[5] ?? 0) ^ "a".charCodeAt(0);
  assert.ok([1, 2, 4, 8, 16, 32, 64, 128].includes(change));
  disk.powerFailed();
  assert.deepEqual(disk.contentOf("a"), damaged);
  damaged[5] = "a".charCodeAt(0);
  assert.equal(letters(damaged), "a");
});

test("the same seed does the same", () => {
  const run = (seed: number): string => {
    const disk = diskWith(seed, "abcdefgh");
    disk.open("a", "update").write(sectors("ABCDEFGH"), 0);
    disk.powerFailed();
    return letters(disk.contentOf("a"));
  };
  for (let seed = 1; seed < 20; seed += 1) assert.equal(run(seed), run(seed));
});
