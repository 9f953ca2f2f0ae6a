import type { HttpAnswer } from "../autocannon-connection.ts";
import { FaultList } from "../fault-list.ts";
import {
  type Flow,
  type FlowFindings,
  NOTHING_ACKNOWLEDGED,
  type Step,
  type Visitor,
} from "../flow.ts";
import { RequestWriter } from "../request-writer.ts";

/** Reads of one event's availability. */
export interface ReadFlowOptions {
  readonly kind: "read";
  readonly eventId: string;
  /** With the status of every seat. */
  readonly withSeats: boolean;
  /** As browsers do: whoever was given an ETag says it the next time. */
  readonly isConditional: boolean;
}

export class ReadFlow implements Flow {
  readonly streams: readonly string[];
  readonly #writer: RequestWriter;
  readonly #path: string;
  readonly #isConditional: boolean;
  readonly #faults = new FaultList();
  readonly #counts = { "answers with an ETag": 0, "answers 304": 0, "answers' bytes": 0 };

  constructor({ eventId, withSeats, isConditional }: ReadFlowOptions, url: string) {
    this.#writer = new RequestWriter(url, [""]);
    this.#path = `/api/v1/events/${eventId}/availability${withSeats ? "?seats=true" : ""}`;
    this.#isConditional = isConditional;
    this.streams = [isConditional ? "reads with ETag" : "reads"];
  }

  visitor(): Visitor {
    const plain = this.#writer.get(this.#path, 0);
    let text = plain;
    let last = { body: "", seq: -1 };
    const answered = ({ status, head, body }: HttpAnswer): void => {
      if (status === 0) return;
      this.#counts["answers' bytes"] += body.length;
      if (status === 304) this.#counts["answers 304"] += 1;
      else if (status !== 200) return this.#unexpected(status, body);
      // Most answers are the last one again, and were looked at.
      else if (body !== last.body) last = { body, seq: this.#check(body, last.seq) };
      const tag = ETAG.exec(head)?.[1];
      if (tag === undefined) return;
      this.#counts["answers with an ETag"] += 1;
      if (this.#isConditional) text = this.#writer.get(this.#path, 0, `If-None-Match: ${tag}\r\n`);
    };
    const next = (): Step => ({ kind: "send", stream: 0, text });
    return { next, answered, left: () => undefined };
  }

  findings(): FlowFindings {
    const { shown: faults } = this.#faults;
    return { acknowledged: NOTHING_ACKNOWLEDGED, faults, counts: { ...this.#counts } };
  }

  #unexpected(status: number, body: string): void {
    if (status === 503 || status === 429) return;
    this.#faults.add(`a read was answered ${status}: ${body.slice(0, 200)}`);
  }

  /** What one connection reads adds up, and never goes back; returns its seq. */
  #check(body: string, lastSeq: number): number {
    const [seq, capacity, free, held, sold, blocked] = NUMBERS.map((pattern) =>
      Number(pattern.exec(body)?.[1]),
    );
    if (Number(free) + Number(held) + Number(sold) + Number(blocked) !== capacity) {
      this.#faults.add(`an availability does not add up: ${body.slice(0, 200)}`);
    }
    if (!(Number(seq) >= lastSeq)) {
      this.#faults.add(`an availability went back from seq ${lastSeq} to ${seq}`);
    }
    return Number(seq);
  }
}

const ETAG = /\r\netag: ([^\r]+)/i;
const NUMBERS = ["seq", "capacity", "free", "held", "sold", "blocked"].map(
  (name) => new RegExp(`"${name}":(\\d+)`),
);
