import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME_PAYLOAD_BYTES_MAX, STARTER_SEGMENT_BYTES } from "../../engine/limits.ts";
import {
  appended,
  brokenDisk,
  Died,
  entry,
  InterceptedDisk,
  openJournal,
  outOfRoom,
  placesOf,
  temporaryDirectory,
} from "../../tests/support/journal-fixture.ts";
import { FsDisk } from "./fs-disk.ts";
import { JournalLoop, type ProjectorLink, type WorkerLink } from "./journal-loop.ts";
import type { AppendMessage, JournalToShardMessage, ProjectMessage } from "./journal-port.ts";
import { concatenated } from "./recovery.ts";

class FakeWorker implements WorkerLink {
  readonly arrived: AppendMessage[] = [];
  readonly posted: JournalToShardMessage[] = [];

  append(ticket: number, ...entries: Buffer[]): void {
    this.arrived.push({ kind: "append", ticket, entries: concatenated(entries).buffer });
  }

  take(): AppendMessage | null {
    return this.arrived.shift() ?? null;
  }

  post(message: JournalToShardMessage): void {
    this.posted.push(message);
  }
}

class FakeProjector implements ProjectorLink {
  readonly posted: ProjectMessage[] = [];

  post(message: ProjectMessage): void {
    this.posted.push(message);
  }

  get places(): [number, number][] {
    return placesOf(this.posted.map(({ entries }) => new Uint8Array(entries)));
  }
}

test("what waits on all links becomes one frame, one sync and one answer per link", (t) => {
  const { journal, recovered } = openJournal(temporaryDirectory(t));
  const loop = new JournalLoop(journal, recovered);
  const [a, b, projector] = [new FakeWorker(), new FakeWorker(), new FakeProjector()];
  loop.connect(a);
  loop.connect(b);
  loop.connectProjector(projector);
  a.append(1, entry(0, 1));
  a.append(2, entry(0, 2), entry(0, 3));
  b.append(1, entry(1, 1));
  const before = journal.status();
  loop.run();
  assert.equal(journal.status().frames - before.frames, 1);
  assert.equal(journal.status().fsyncs - before.fsyncs, 1);
  assert.deepEqual(a.posted, [{ kind: "durable", ticket: 2 }]);
  assert.deepEqual(b.posted, [{ kind: "durable", ticket: 1 }]);
  assert.equal(projector.posted.length, 1);
  assert.deepEqual(projector.places, [
    [0, 1],
    [0, 2],
    [0, 3],
    [1, 1],
  ]);
});

test("an append without entries is answered in its turn, and writes nothing", (t) => {
  const { journal, recovered } = openJournal(temporaryDirectory(t));
  const loop = new JournalLoop(journal, recovered);
  const worker = new FakeWorker();
  loop.connect(worker);
  const before = loop.status().frames;
  worker.append(1);
  loop.run();
  assert.deepEqual(worker.posted, [{ kind: "durable", ticket: 1 }]);
  assert.equal(loop.status().frames, before);
});

test("the projector gets what was recovered first, then what was durable before it came", (t) => {
  const directory = temporaryDirectory(t);
  assert(appended(openJournal(directory).journal, [entry(0, 1), entry(0, 2)]));
  const { journal, recovered } = openJournal(directory, { watermarks: new Map([[0, 1]]) });
  const loop = new JournalLoop(journal, recovered);
  const [worker, projector] = [new FakeWorker(), new FakeProjector()];
  loop.connect(worker);
  worker.append(1, entry(0, 3));
  loop.run();
  loop.connectProjector(projector);
  worker.append(2, entry(0, 4));
  loop.run();
  assert.deepEqual(projector.places, [
    [0, 2],
    [0, 3],
    [0, 4],
  ]);
});

test("an append too long for a frame is split, and confirmed with its last part", (t) => {
  const segmentBytes = STARTER_SEGMENT_BYTES;
  const { journal, recovered } = openJournal(temporaryDirectory(t), { segmentBytes });
  const loop = new JournalLoop(journal, recovered);
  const [worker, projector] = [new FakeWorker(), new FakeProjector()];
  loop.connect(worker);
  loop.connectProjector(projector);
  const third = FRAME_PAYLOAD_BYTES_MAX / 3;
  const long = Array.from({ length: 5 }, (_, index) => entry(0, index + 1, third));
  worker.append(1, ...long);
  worker.append(2, entry(0, 6));
  const before = loop.status().frames;
  loop.run();
  assert.deepEqual(
    projector.posted.map(({ entries }) => placesOf([new Uint8Array(entries)]).length),
    [2, 2, 2],
  );
  assert.equal(loop.status().frames - before, 3);
  assert.deepEqual(worker.posted, [{ kind: "durable", ticket: 2 }]);
  assert.deepEqual(projector.places.at(-1), [0, 6]);
});

test("an entry that fits into no frame is a bug, and is not tried for ever", (t) => {
  const { journal, recovered } = openJournal(temporaryDirectory(t));
  const loop = new JournalLoop(journal, recovered, 16);
  const worker = new FakeWorker();
  loop.connect(worker);
  worker.append(1, entry(0, 1));
  assert.throws(() => loop.run(), /an entry fits into a frame/);
  assert.deepEqual(worker.posted, []);
});

test("appends roll over into new segments while the supply answers at once", (t) => {
  const directory = temporaryDirectory(t);
  const { journal, recovered } = openJournal(directory);
  const loop = new JournalLoop(journal, recovered);
  const worker = new FakeWorker();
  loop.connect(worker);
  for (let lsn = 1; lsn <= 60; lsn += 1) {
    worker.append(lsn, entry(0, lsn, 1_000));
    if (lsn % 3 === 0) loop.run();
  }
  assert.deepEqual(worker.posted.at(-1), { kind: "durable", ticket: 60 });
  assert.equal(openJournal(directory).report.entries, 60);
});

test("a failing sync ends the process without an answer or a projection", (t) => {
  const directory = temporaryDirectory(t);
  let isBroken = false;
  const disk = new InterceptedDisk(new FsDisk(directory), (call) => {
    if (isBroken && call === "datasync") throw brokenDisk();
  });
  const { journal, recovered } = openJournal(directory, { disk });
  const loop = new JournalLoop(journal, recovered);
  const [worker, projector] = [new FakeWorker(), new FakeProjector()];
  loop.connect(worker);
  loop.connectProjector(projector);
  worker.append(1, entry(0, 1));
  isBroken = true;
  assert.throws(() => loop.run(), Died);
  assert.deepEqual(worker.posted, []);
  assert.deepEqual(projector.posted, []);
});

test("a full journal tells its workers, keeps what waits, and answers when there is room", (t) => {
  const directory = temporaryDirectory(t);
  let isFull = true;
  const disk = new InterceptedDisk(new FsDisk(directory), (call, name) => {
    if (isFull && call === "write" && name.endsWith("2.seg.tmp")) throw outOfRoom();
  });
  const { journal, recovered } = openJournal(directory, { disk });
  const loop = new JournalLoop(journal, recovered);
  const worker = new FakeWorker();
  loop.connect(worker);
  assert.deepEqual(worker.posted, [{ kind: "full", full: true }]);
  for (let lsn = 1; lsn <= 20; lsn += 1) {
    worker.append(lsn, entry(0, lsn, 1_000));
    loop.run();
  }
  const confirmed = worker.posted.length - 1;
  assert(confirmed > 5 && confirmed < 20);
  loop.tick();
  assert.equal(worker.posted.length, confirmed + 1);

  isFull = false;
  loop.tick();
  assert.deepEqual(worker.posted.slice(confirmed + 1), [
    { kind: "full", full: false },
    { kind: "durable", ticket: 20 },
  ]);
});
