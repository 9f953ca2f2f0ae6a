import { Acknowledgements } from "../load/acknowledgements.ts";
import type { FlowFindings } from "../load/flow.ts";
import { LiveCaller, type LiveCallerOptions } from "../load/live-caller.ts";
import { machineMs } from "./crowd-clock.ts";

export interface MadeChange {
  readonly seq: number;
  /** Of the machine's clock. */
  readonly sentMs: number;
  readonly answeredMs: number;
}

export class ChangeRefused extends Error {
  readonly code = "change_refused";
}

interface MakerOptions {
  readonly caller: LiveCaller;
  readonly eventId: string;
  /** By index; held one after the other. */
  readonly seatIds: readonly string[];
}

/** A buyer who holds one seat after another of one event, at a steady pace. */
export class ChangeMaker {
  readonly #caller: LiveCaller;
  readonly #eventId: string;
  readonly #seatIds: readonly string[];
  readonly #acknowledged = new Acknowledgements();
  #next = 0;

  static async open(
    options: LiveCallerOptions & Pick<MakerOptions, "eventId" | "seatIds">,
  ): Promise<ChangeMaker> {
    return new ChangeMaker({ ...options, caller: await LiveCaller.open(options) });
  }

  private constructor({ caller, eventId, seatIds }: MakerOptions) {
    this.#caller = caller;
    this.#eventId = eventId;
    this.#seatIds = seatIds;
  }

  /** What was acknowledged, for the oracle. */
  get findings(): FlowFindings {
    return { acknowledged: this.#acknowledged.pack(), faults: [], counts: {} };
  }

  /** Resolves once all are answered; rejects with ChangeRefused when one is refused. */
  make(
    count: number,
    ratePerSecond: number,
    told: (count: number) => void = () => undefined,
  ): Promise<MadeChange[]> {
    const made: MadeChange[] = [];
    return new Promise((resolve, reject) => {
      let left = count;
      const timer = setInterval(() => {
        left -= 1;
        if (left <= 0) clearInterval(timer);
        this.#hold((change) => {
          if (change instanceof ChangeRefused) {
            clearInterval(timer);
            return reject(change);
          }
          made.push(change);
          told(made.length);
          if (made.length === count) resolve(made);
        });
      }, 1_000 / ratePerSecond);
    });
  }

  close(): void {
    this.#caller.close();
  }

  #hold(told: (change: MadeChange | ChangeRefused) => void): void {
    const index = this.#next;
    const seat = this.#seatIds[index];
    this.#next += 1;
    const fields = `"eventId":"${this.#eventId}","items":[{"seat":"${seat}"}]`;
    const sentMs = machineMs();
    this.#caller.request("hold", fields, (reply) => {
      const { status, seq, bodyId } = reply;
      if (status !== 201) {
        return told(new ChangeRefused(`a hold of ${seat}: ${status} ${reply.body}`));
      }
      this.#acknowledged.held({ id: bodyId, event: 0, places: [index] });
      told({ seq, sentMs, answeredMs: machineMs() });
    });
  }
}
