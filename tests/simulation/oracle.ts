/**
 * Watches a simulated node from outside and says what it does wrong. It knows the facts that the
 * shard workers hand to the journal, what they tell the gateway and when, and the rows of the
 * database; what all that should be it takes from the model (tests/model), not from the engine.
 *
 *   append seen    lsns of a shard without a gap, epoch and time that never step back
 *   answer seen    true in the model at the lsn that it carries; changes are the facts' moves
 *   commit seen    the rows are the model at the watermark
 *   restart seen   nothing that somebody was told is gone, and the rows are what was told
 */
import { isDeepStrictEqual } from "node:util";
import { type Fact, movesOf } from "../../engine/facts.ts";
import type { EventId, HoldId } from "../../engine/ids.ts";
import { ENDED_HOLD_TTL_MS } from "../../engine/limits.ts";
import type { Snapshot } from "../../engine/snapshot.ts";
import { unreachable } from "../../engine/unreachable.ts";
import { forEachEntry, readEntry } from "../../workers/journal/entry.ts";
import type { JournalToShardMessage } from "../../workers/journal/journal-port.ts";
import type {
  OverfullMessage,
  WatermarkMessage,
} from "../../workers/projector/projector-messages.ts";
import type {
  ActorReport,
  Answer,
  InventoryChange,
  InventoryReset,
  Operation,
  ShardAnswer,
  ShardRequest,
  WorkerBatch,
} from "../../workers/shard-messages.ts";
import { EventModel } from "../model/event-model.ts";
import { isByItself } from "../model/fact-rules.ts";
import type { SnapshotSource } from "../model/snapshot-check.ts";
import { isDeferredOutcome } from "./deferred-outcome.ts";
import { isLateReplay } from "./late-replay.ts";
import { type FactPlace, idMadeBy, type Life, madeBy, type Ticket } from "./life.ts";
import {
  changesCapacity,
  dueBy,
  expiredBy,
  happensByItself,
  isNoticeOf,
  noticesDue,
  seqOfNotice,
} from "./notices-due.ts";
import { driftOfHistory, driftOfRows } from "./rows-check.ts";
import { type DecidedFact, ShardHistory } from "./shard-history.ts";
import type { EventRows } from "./virtual-rows.ts";

/** The contract's exactness of a hold's end. */
const EXPIRY_MS_MAX = 1_000;

export class Violation extends Error {
  constructor(what: string) {
    super(what);
    this.name = "Violation";
  }
}

export interface OracleWorld {
  /** What the database has of an event. */
  readonly snapshotOf: (eventId: EventId) => Snapshot;
  /** All the rows that it has of the event. */
  readonly rowsOf: (eventId: EventId) => EventRows;
  /** What the database has of a shard. */
  readonly watermark: (shard: number) => number;
  /** Facts that a shard may be ahead of the database when it takes a request. */
  readonly unprojectedFactsMax: number;
  /** Some clock may be set back. */
  readonly isClockRough: boolean;
  /** The latest that any clock has shown, Unix ms. */
  readonly wallMsMax: () => number;
}

export class Oracle {
  readonly #world: OracleWorld;
  readonly #shards = new Map<number, ShardHistory>();
  /** As of what was told. */
  readonly #told = new Map<EventId, EventModel>();
  /** By event and seq. */
  readonly #outcomesTold = new Set<string>();
  /** As of what the database has. */
  readonly #stored = new Map<EventId, EventModel>();
  /** Where the facts of an event are, by seq - 1. */
  readonly #places = new Map<EventId, FactPlace[]>();
  readonly #lastMs = new Map<number, number>();
  /** No shard's time starts before the latest of all. */
  #lastMsMax = 0;
  /** The process that took the shards last has recovered. */
  #isOwned = false;
  answersChecked = 0;
  commitsChecked = 0;
  factsSeen = 0;

  constructor(world: OracleWorld) {
    this.#world = world;
  }

  /** Rows, of which some may be purged. */
  get #source(): SnapshotSource {
    return { forgetful: true, nowMs: this.#world.wallMsMax() };
  }

  get events(): readonly EventId[] {
    return [...this.#told.keys()];
  }

  /** The model of an event as of what was told. */
  model(eventId: EventId): EventModel {
    return modelIn(this.#told, eventId);
  }

  /** A shard worker handed entries to the journal. */
  appended(life: Life, of: Ticket, entries: Uint8Array): void {
    const bytes = Buffer.from(entries);
    forEachEntry(bytes, (offset) => {
      const { shard, lsn, epoch, atMs, eventId, fact } = readEntry(bytes, offset);
      // Nobody is told of it any more: the journal refuses whoever lost his shards.
      if (life.isSuperseded) return;
      const history = this.#shard(shard);
      if (lsn !== history.lastLsn + 1) {
        throw new Violation(`shard ${shard}: lsn ${lsn} was decided after ${history.lastLsn}`);
      }
      if (epoch !== life.epochs.get(shard)) {
        throw new Violation(`shard ${shard}: epoch ${epoch} is not its own`);
      }
      if (atMs < (this.#lastMs.get(shard) ?? 0)) {
        throw new Violation(`shard ${shard}: its time steps back at lsn ${lsn}`);
      }
      this.#lastMs.set(shard, atMs);
      this.#lastMsMax = Math.max(this.#lastMsMax, atMs);
      history.append({ eventId, fact, decidedMs: life.wallMs() });
      this.#placesOf(eventId).push({ shard, lsn });
      this.factsSeen += 1;
      life.undurable.add({ ...of, shard, lsn });
      this.#note(life, of, { shard, lsn, eventId, fact });
      this.#endsOnTime(life, fact, eventId);
    });
  }

  #note(
    life: Life,
    { worker }: Ticket,
    { shard, lsn, eventId, fact }: FactPlace & Pick<DecidedFact, "eventId" | "fact">,
  ): void {
    const id = idMadeBy(fact);
    if (id !== null) life.made.add(id);
    const due = noticesDue(fact);
    if (due.length > 0) life.unnoticed.add({ shard, lsn, eventId, seq: fact.seq, kinds: due });
    if (happensByItself(fact)) return;
    for (const why of ["journal", "projector"]) {
      if (!life.full.has(`${worker}: ${why}`)) continue;
      throw new Violation(`shard ${shard}: ${fact.kind} was taken although the ${why} is full`);
    }
    // What it knows of the database may be old, so it may only be more careful.
    const ahead = lsn - this.#world.watermark(shard);
    if (ahead <= this.#world.unprojectedFactsMax) return;
    throw new Violation(`shard ${shard}: ${fact.kind} was taken, ${ahead} facts ahead of the rows`);
  }

  /** A shard worker hears from the journal or the projector. */
  heard(
    life: Life,
    worker: number,
    message: JournalToShardMessage | WatermarkMessage | OverfullMessage,
  ): void {
    switch (message.kind) {
      case "durable":
        for (const append of life.undurable) {
          const isIn = append.worker === worker && append.ticket <= message.ticket;
          if (isIn) life.undurable.delete(append);
        }
        return;
      case "full":
        return this.#setFull(life, `${worker}: journal`, message.full);
      case "overfull":
        return this.#setFull(life, `${worker}: projector`, message.overfull);
      case "watermarks":
        return;
      default:
        return unreachable(message);
    }
  }

  #setFull({ full }: Life, who: string, isFull: boolean): void {
    if (isFull) full.add(who);
    else full.delete(who);
  }

  /** The projector told what the database has. */
  projected(watermarks: readonly (readonly [shard: number, lsn: number])[]): void {
    for (const [shard, lsn] of watermarks) {
      const stored = this.#world.watermark(shard);
      if (lsn <= stored) continue;
      throw new Violation(`shard ${shard}: lsn ${lsn} is told to be stored, but ${stored} is`);
    }
  }

  /** A shard worker told the gateway. */
  released(life: Life, batch: WorkerBatch): void {
    const watched = new Set(life.watched.keys());
    // The gateway waits for the view: what changed behind it comes before it in the same batch.
    for (const { answer, id } of batch.answers) {
      const request = life.requests.get(id)?.request;
      if (request === undefined) continue;
      const { eventId, operation } = request;
      if (operation.kind === "unwatch" && answer.kind === "unchanged") life.watched.delete(eventId);
      if (answer.kind !== "view" || life.watched.has(eventId)) continue;
      watched.add(eventId);
      life.watched.set(eventId, answer.view.seq);
    }
    for (const change of batch.changes) {
      this.#change(life, change);
      if (watched.has(change.eventId) || life.isSuperseded) continue;
      throw new Violation(`event ${change.eventId}: a change is told, but nobody watches`);
    }
    for (const answer of batch.answers) this.#answer(life, answer);
    for (const notice of batch.notices) {
      if (life.isSuperseded) continue;
      const { eventId } = notice;
      const seq = seqOfNotice(notice);
      const fact = this.#factOf(eventId, seq);
      if (fact === undefined || !isNoticeOf(notice, fact)) {
        throw new Violation(`event ${eventId}: ${notice.kind} ${seq} is told of another fact`);
      }
      this.#releaseFact(eventId, seq);
    }
    for (const { eventId, seq } of batch.changes) {
      if (!life.isSuperseded) this.#releaseFact(eventId, seq);
    }
    if (!life.isSuperseded) this.#allTold(life, batch);
  }

  /** Whoever hears an answer has heard of everything before it. */
  #allTold(life: Life, { notices }: WorkerBatch): void {
    const noticed = new Set(
      notices.map((told) => `${told.eventId} ${seqOfNotice(told)} ${told.kind}`),
    );
    for (const end of life.unnoticed) {
      const { shard, lsn, eventId, seq, kinds } = end;
      if (kinds.every((kind) => noticed.has(`${eventId} ${seq} ${kind}`))) {
        life.unnoticed.delete(end);
      } else if (lsn <= this.#shard(shard).releasedLsn) {
        throw new Violation(`event ${eventId}: nobody was told ${kinds.join(" and ")} of ${seq}`);
      }
    }
    for (const { shard, lsn } of life.undurable) {
      if (lsn > this.#shard(shard).releasedLsn) continue;
      throw new Violation(`shard ${shard}: lsn ${lsn} was told of before it was durable`);
    }
    for (const [eventId, seq] of life.watched) {
      const toldSeq = this.model(eventId).seq;
      if (seq >= toldSeq) continue;
      throw new Violation(`event ${eventId}: its changes end at ${seq}, but ${toldSeq} was told`);
    }
  }

  /** An actor is built from the rows, which may have forgotten holds that ended long ago. */
  reloaded(eventId: EventId): void {
    this.model(eventId).reloaded(this.#world.wallMsMax() - ENDED_HOLD_TTL_MS);
  }

  /** The database committed something. */
  committed(): void {
    /** With the seq of before. */
    const moved = new Map<EventId, number>();
    for (const [shard, history] of this.#shards) {
      const watermark = this.#world.watermark(shard);
      if (watermark < history.storedLsn) {
        throw new Violation(`shard ${shard}: the watermark stepped back to ${watermark}`);
      }
      if (watermark > history.lastLsn) {
        throw new Violation(`shard ${shard}: the database has ${watermark}, which nobody decided`);
      }
      for (; history.storedLsn < watermark; history.storedLsn += 1) {
        const decided = history.at(history.storedLsn + 1);
        if (decided === undefined) break;
        const model = modelIn(this.#stored, decided.eventId);
        if (!moved.has(decided.eventId)) moved.set(decided.eventId, model.seq);
        model.take(decided.fact);
      }
    }
    for (const [eventId, seq] of moved) this.#compareRows(eventId, seq);
    this.commitsChecked += 1;
  }

  /** A new process took the shards; it has not recovered yet. */
  acquired(): void {
    this.#isOwned = false;
  }

  /**
   * The process that owns the shards has recovered: `watermarks` is where each goes on. Whatever
   * was decided beyond is gone, and nobody may have been told of it.
   */
  recovered(watermarks: ReadonlyMap<number, number>): void {
    this.#isOwned = true;
    for (const [shard, history] of this.#shards) {
      const lsn = watermarks.get(shard) ?? 0;
      const toldLsn = Math.max(history.releasedLsn, history.claimedLsn);
      if (lsn < toldLsn) {
        const told = `somebody was told up to lsn ${toldLsn}`;
        throw new Violation(`shard ${shard}: goes on from lsn ${lsn}, but ${told}`);
      }
      if (lsn > history.lastLsn) {
        throw new Violation(`shard ${shard}: goes on from lsn ${lsn}, which nobody decided`);
      }
      history.cutTo(lsn);
      history.recoveredLsn = lsn;
      history.claimedLsn = 0;
      this.#lastMs.set(shard, history.at(lsn)?.fact.atMs ?? 0);
      this.#release(shard, lsn);
    }
    for (const places of this.#places.values()) {
      for (let last = places.at(-1); last !== undefined; last = places.at(-1)) {
        if (last.lsn <= this.#shard(last.shard).recoveredLsn) break;
        places.pop();
      }
    }
    for (const eventId of this.#told.keys()) {
      this.reloaded(eventId);
      const rows = this.#world.snapshotOf(eventId);
      const differences = this.model(eventId).compare(rows, this.#source);
      if (differences.length > 0) {
        throw new Violation(`event ${eventId}: the rows differ: ${differences.join("; ")}`);
      }
    }
  }

  /** What the rows show has nothing left to do by itself. */
  isAtRest(nowMs: number): boolean {
    return [...this.#stored.values()].every((model) => {
      const { held, sold } = model.counts();
      if (held > 0 || model.overdue(nowMs).length > 0) return false;
      return model.definition?.status !== "cancelled" || sold + model.line().length === 0;
    });
  }

  /** Somebody has money to come back, of which the rows show no end. */
  get hasRefundsDue(): boolean {
    return [...this.#stored.values()].some((model) =>
      model.everyBooking().some(({ later }) => {
        return later?.payment?.refunds.some(({ status }) => status === "due") ?? false;
      }),
    );
  }

  /** The database has all that was decided. */
  get isStored(): boolean {
    return [...this.#shards].every(
      ([shard, { lastLsn }]) => this.#world.watermark(shard) === lastLsn,
    );
  }

  /** Everything that was decided has been told and stored: the end of a run without faults. */
  finished(): void {
    for (const [shard, history] of this.#shards) {
      const watermark = this.#world.watermark(shard);
      if (watermark !== history.lastLsn) {
        throw new Violation(
          `shard ${shard}: the database stays at ${watermark} of ${history.lastLsn}`,
        );
      }
      this.#release(shard, history.lastLsn);
    }
    for (const eventId of this.#told.keys()) this.#compareRows(eventId, 0);
  }

  #answer(life: Life, { id, lsn, answer }: ShardAnswer): void {
    const asked = life.requests.get(id);
    if (asked === undefined)
      throw new Violation(`request ${id} was answered twice, or never asked`);
    life.requests.delete(id);
    this.answersChecked += 1;
    const { request, askedMs } = asked;
    const { eventId, shard, operation } = request;
    if (answer.kind === "refused" && answer.refusal.code === "busy") {
      return checkUndone(life, operation);
    }
    if (answer.kind === "audit") {
      if (answer.report.ok) return;
      throw new Violation(`audit of ${eventId}: ${answer.report.drift.join("; ")}`);
    }
    const history = this.#shard(shard);
    if (life.isSuperseded) {
      // It may still say what it knew; it may not give what is not its own any more.
      if (answer.kind !== "done" || answer.replayed) return;
      history.claimedLsn = Math.max(history.claimedLsn, lsn);
      if (!this.#isOwned || lsn <= history.recoveredLsn) return;
      throw new Violation(`a process that had lost its shards accepted ${operation.kind}`);
    }
    const model = this.model(eventId);
    const toldSeq = model.seq;
    this.#release(shard, lsn);
    const beforeSeq = this.#seqBefore(model, answer, { eventId, toldSeq });
    this.#checkInTime(request, answer, beforeSeq);
    if (answer.kind === "view" && answer.view.epoch !== life.epochs.get(shard)) {
      throw new Violation(`event ${eventId}: a view of epoch ${answer.view.epoch}`);
    }
    const fromMs = this.#world.isClockRough ? Math.min(askedMs, model.lastMs) : askedMs;
    const toMs = Math.max(life.wallMsMax, this.#lastMsMax);
    const [overdue] = model.overdue(model.lastMs);
    if (overdue !== undefined) {
      const what = `what ${overdue.entry.entryId} waits for is free, and not offered`;
      throw new Violation(`event ${eventId} at seq ${model.seq}: ${what}`);
    }
    const wrong = model.check(operation, answer, { fromMs, toMs, beforeSeq });
    if (wrong.length === 0 || isLateReplay(model, operation, answer, askedMs)) return;
    const isOutrun = answer.kind === "actor" && answer.report.seq < model.seq;
    if (isOutrun && this.#wasAt(answer.report, { shard, lsn })) return;
    const what = JSON.stringify({ operation, answer });
    throw new Violation(`event ${eventId} at seq ${model.seq}: ${wrong.join("; ")} in ${what}`);
  }

  /** Where the event was before what an answer is about, if that is new to everybody. */
  #seqBefore(
    model: EventModel,
    answer: Answer,
    { eventId, toldSeq }: { readonly eventId: EventId; readonly toldSeq: number },
  ): number {
    if (answer.kind !== "done") return toldSeq;
    const { seq } = answer.fact;
    const outcome = `${eventId} ${seq}`;
    const isFirst = !this.#outcomesTold.has(outcome);
    this.#outcomesTold.add(outcome);
    return isFirst && isDeferredOutcome(model, answer) ? Math.min(toldSeq, seq - 1) : toldSeq;
  }

  /** A large event is inspected for a while: it has gone on when that is told. */
  #wasAt({ eventId, seq }: ActorReport, asked: FactPlace): boolean {
    const places = this.#placesOf(eventId);
    const [last, next] = [places[seq - 1], places[seq]];
    if (next === undefined || next.shard !== asked.shard || next.lsn <= asked.lsn) return false;
    return last === undefined || last.shard !== asked.shard || last.lsn <= asked.lsn;
  }

  /** What waited past its deadline is not executed any more. */
  #checkInTime(request: ShardRequest, answer: Answer, beforeSeq: number): void {
    const { eventId, deadlineMs, operation } = request;
    // A cancellation may be told again.
    if (answer.kind !== "done" || answer.replayed || answer.fact.seq <= beforeSeq) return;
    const place = this.#placesOf(eventId)[answer.fact.seq - 1];
    const decided = place === undefined ? undefined : this.#shard(place.shard).at(place.lsn);
    if (decided === undefined || decided.decidedMs <= deadlineMs) return;
    const lateMs = decided.decidedMs - deadlineMs;
    throw new Violation(`event ${eventId}: ${operation.kind} was decided ${lateMs} ms too late`);
  }

  /** Facts up to `lsn` have been told of. */
  #release(shard: number, lsn: number): void {
    const history = this.#shard(shard);
    history.releasedLsn = Math.max(history.releasedLsn, lsn);
    if (lsn > history.lastLsn) {
      throw new Violation(`shard ${shard}: lsn ${lsn} was told of, but never given to the journal`);
    }
    for (; history.takenLsn < lsn; history.takenLsn += 1) {
      const decided = history.at(history.takenLsn + 1);
      if (decided === undefined) return;
      const model = this.model(decided.eventId);
      const broken = [...overtaken(model, decided.fact), ...model.take(decided.fact)];
      if (broken.length === 0) continue;
      const what = `${decided.fact.kind} ${decided.fact.seq} of ${decided.eventId}`;
      throw new Violation(`${what}: ${broken.join("; ")}: ${JSON.stringify(decided.fact)}`);
    }
  }

  /** Every fact of a watched event is told once, in order, as what it moves. */
  #change(life: Life, change: InventoryChange | InventoryReset): void {
    const { eventId, seq } = change;
    const before = life.watched.get(eventId);
    if (before === undefined || life.isSuperseded) return;
    if (seq <= before) return;
    if (seq !== before + 1) {
      throw new Violation(`event ${eventId}: change ${seq} was told after ${before}`);
    }
    life.watched.set(eventId, seq);
    const fact = this.#factOf(eventId, seq);
    if (fact === undefined) {
      throw new Violation(
        `event ${eventId}: change ${seq} was told, but never given to the journal`,
      );
    }
    if ("reset" in change || changesCapacity(fact)) {
      if ("reset" in change && changesCapacity(fact)) return;
      throw new Violation(`event ${eventId}: ${fact.kind} ${seq} was told as another change`);
    }
    if (isDeepStrictEqual(change.moves, movesOf(fact))) return;
    throw new Violation(`event ${eventId}: change ${seq} is not what the fact moved`);
  }

  /** Told or not yet told. */
  #factOf(eventId: EventId, seq: number): Fact | undefined {
    const place = this.#placesOf(eventId)[seq - 1];
    return place === undefined ? undefined : this.#shard(place.shard).at(place.lsn)?.fact;
  }

  #releaseFact(eventId: EventId, seq: number): void {
    const place = this.#placesOf(eventId)[seq - 1];
    if (place !== undefined) this.#release(place.shard, place.lsn);
  }

  #placesOf(eventId: EventId): FactPlace[] {
    const known = this.#places.get(eventId);
    if (known !== undefined) return known;
    const places: FactPlace[] = [];
    this.#places.set(eventId, places);
    return places;
  }

  #endsOnTime(life: Life, fact: Fact, eventId: EventId): void {
    const holdId = expiredBy(fact);
    if (holdId === null) return;
    const dueMs = this.#dueOf(eventId, holdId, fact.seq);
    if (dueMs === undefined || dueMs < life.calmSinceMs) return;
    const lateMs = fact.atMs - dueMs;
    if (lateMs > EXPIRY_MS_MAX)
      throw new Violation(`event ${eventId}: a hold ended ${lateMs} ms late`);
  }

  /** When the hold that the fact `endSeq` ends was due; undefined: it is not known. */
  #dueOf(eventId: EventId, holdId: HoldId, endSeq: number): number | undefined {
    for (let seq = endSeq - 1; seq > 0; seq -= 1) {
      const fact = this.#factOf(eventId, seq);
      if (fact === undefined) return undefined;
      const dueMs = dueBy(fact, holdId);
      if (dueMs !== null) return dueMs;
    }
    return undefined;
  }

  #compareRows(eventId: EventId, historyFromSeq: number): void {
    const model = modelIn(this.#stored, eventId);
    const rows = this.#world.rowsOf(eventId);
    const differences = [
      ...model.compare(this.#world.snapshotOf(eventId), this.#source),
      ...driftOfRows(model, rows),
      ...driftOfHistory(model, rows, historyFromSeq),
    ];
    if (differences.length === 0) return;
    throw new Violation(`event ${eventId}: the rows differ: ${differences.join("; ")}`);
  }

  #shard(shard: number): ShardHistory {
    const known = this.#shards.get(shard);
    if (known !== undefined) return known;
    const history = new ShardHistory();
    this.#shards.set(shard, history);
    return history;
  }
}

function modelIn(models: Map<EventId, EventModel>, eventId: EventId): EventModel {
  const known = models.get(eventId);
  if (known !== undefined) return known;
  const model = new EventModel(eventId);
  models.set(eventId, model);
  return model;
}

/** Who hears `busy` may ask again: nothing has happened. */
function checkUndone(life: Life, operation: Operation): void {
  const id = madeBy(life, operation);
  if (id === undefined) return;
  throw new Violation(`${operation.kind} was answered "busy", but ${id} was made`);
}

/** Whoever asks for something comes behind those in the line to whom what is free is due. */
function overtaken(model: EventModel, fact: Fact): string[] {
  const [first] = isByItself(fact) ? [] : model.overdue(fact.atMs);
  return first === undefined ? [] : [`what ${first.entry.entryId} waits for was free before it`];
}
