import { SOCKET_REQUESTS_IN_FLIGHT_MAX } from "../../engine/limits.ts";
import { Acknowledgements } from "../load/acknowledgements.ts";
import { FaultList } from "../load/fault-list.ts";
import type { FlowFindings } from "../load/flow.ts";
import type { Asked } from "../load/hold-stream.ts";
import { LiveCaller, type LiveCallerOptions } from "../load/live-caller.ts";
import type { LiveReply } from "../load/live-reply.ts";
import { StreamRecord } from "../load/stream-record.ts";
import { keepTimetable } from "../load/timetable.ts";
import { priceFault } from "../load/told-price.ts";
import type { Stream } from "../report/report.ts";
import { machineMs } from "./crowd-clock.ts";

const CREATED = 201;
const CONNECTION_ENDED = 0;
/** The limits say no, or overload does. A seat is asked for once: any other no can't be right. */
export const REFUSALS: readonly number[] = [429, 503];
const FAULT_CHARS_MAX = 200;

export interface MadeChange {
  readonly seq: number;
  /** Of the machine's clock, ms. */
  readonly dueMs: number;
  readonly answeredMs: number;
}

/** What came of some changes. */
export interface ChangeRound {
  readonly made: readonly MadeChange[];
  /** When the first was due, of the machine's clock, ms. */
  readonly startMs: number;
  /** Changes that were due, and that the connection was not free for. */
  readonly neverSent: number;
  /** From when each was due to its answer; those that were refused apart. */
  readonly streams: readonly Stream[];
}

interface MakerOptions {
  readonly caller: Asked & Pick<LiveCaller, "close">;
  readonly eventId: string;
  /** By index; held one after the other. */
  readonly seatIds: readonly string[];
}

/**
 * A buyer who holds one seat after another of one event, by a timetable.
 *
 * Invariants:
 * - Each seat is asked for at most once: a refused one stays free.
 * - No more requests are on their way than the server takes of one socket.
 * - A connection that ends is the end: what was due after it is never sent.
 */
export class ChangeMaker {
  readonly #caller: MakerOptions["caller"];
  readonly #eventId: string;
  readonly #seatIds: readonly string[];
  readonly #acknowledged = new Acknowledgements();
  readonly #faults = new FaultList();
  readonly #statuses: Record<string, number> = {};
  #next = 0;
  #isLost = false;

  /** Rejects with LiveRefused. */
  static async open(
    options: LiveCallerOptions & Pick<MakerOptions, "eventId" | "seatIds">,
  ): Promise<ChangeMaker> {
    return new ChangeMaker({ ...options, caller: await LiveCaller.open(options) });
  }

  constructor({ caller, eventId, seatIds }: MakerOptions) {
    this.#caller = caller;
    this.#eventId = eventId;
    this.#seatIds = seatIds;
  }

  /** What was acknowledged, for the oracle. */
  get findings(): FlowFindings {
    return { acknowledged: this.#acknowledged.pack(), faults: this.#faults.shown, counts: {} };
  }

  /** All answers so far, by status; 0: the connection ended before. */
  get statuses(): Readonly<Record<string, number>> {
    return this.#statuses;
  }

  /** Resolves once all that were sent are answered; `told` how many were made so far. */
  async make(
    count: number,
    ratePerSecond: number,
    told: (count: number) => void = () => undefined,
  ): Promise<ChangeRound> {
    const record = new StreamRecord("changes", true);
    const made: MadeChange[] = [];
    const answered: Promise<void>[] = [];
    const startMs = machineMs();
    let lastMs = startMs;
    const hold = async (dueMs: number): Promise<void> => {
      const { status, seq, answeredMs } = await this.#hold();
      lastMs = answeredMs;
      record.add({ status, ms: answeredMs - dueMs, atMs: answeredMs - startMs });
      if (status !== CREATED) return;
      made.push({ seq, dueMs, answeredMs });
      told(made.length);
    };
    const neverSent = await keepTimetable({
      now: machineMs,
      startMs,
      count,
      ratePerSecond,
      isFree: () =>
        this.#caller.inFlight < SOCKET_REQUESTS_IN_FLIGHT_MAX && !this.#caller.isCongested,
      isOver: () => this.#isLost,
      send: (dueMs) => answered.push(hold(dueMs)),
    });
    await Promise.all(answered);
    return { made, startMs, neverSent, streams: record.streams((lastMs - startMs) / 1_000) };
  }

  close(): void {
    this.#caller.close();
  }

  #hold(): Promise<Pick<LiveReply, "status" | "seq"> & { readonly answeredMs: number }> {
    const index = this.#next;
    this.#next += 1;
    const fields = `"eventId":"${this.#eventId}","items":[{"seat":"${this.#seatIds[index]}"}]`;
    return new Promise((resolve) => {
      this.#caller.request("hold", fields, (reply) => {
        const answeredMs = machineMs();
        this.#note(index, reply);
        resolve({ status: reply.status, seq: reply.seq, answeredMs });
      });
    });
  }

  #note(index: number, { status, seq, bodyId, body }: LiveReply): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    const seat = this.#seatIds[index];
    if (status === CONNECTION_ENDED) {
      this.#isLost = true;
      this.#acknowledged.holdUnknown(0, 1);
    } else if (status === CREATED) {
      const isNew = this.#acknowledged.held({ id: bodyId, event: 0, places: [index] });
      if (!isNew) this.#faults.add(`hold ${bodyId} was given twice`);
      const fault = priceFault(body, 1);
      if (fault !== null) this.#faults.add(`hold ${bodyId} has ${fault}`);
      if (seq < 0) this.#faults.add(`hold ${bodyId} has no seq`);
    } else if (!REFUSALS.includes(status)) {
      this.#faults.add(`a hold of ${seat}: ${status} ${body.slice(0, FAULT_CHARS_MAX)}`);
    }
  }
}
