import { Acknowledgements } from "../acknowledgements.ts";
import type { HttpAnswer } from "../autocannon-connection.ts";
import { FaultList } from "../fault-list.ts";
import type { Flow, FlowFindings, Step, Visitor } from "../flow.ts";
import { codeOf, isBusy } from "../refusals.ts";
import { idOf, RequestWriter } from "../request-writer.ts";
import { priceFault } from "../told-price.ts";

/** Holds and nothing else: one place of an area each, all on one event. */
export interface HoldFlowOptions {
  readonly kind: "hold";
  readonly eventId: string;
  readonly area: string;
  /** Places that nobody else asks for: the load ends when all are held. */
  readonly capacity: number;
  readonly tokens: readonly string[];
}

/** A request whose answer was lost is asked again under its key, so often at most. */
const TRIES_MAX = 3;
/** After `busy`. */
const BUSY_PAUSE_MS = 20;

export class HoldFlow implements Flow {
  readonly streams = ["holds"] as const;
  readonly #writer: RequestWriter;
  readonly #options: HoldFlowOptions;
  readonly #path: string;
  readonly #body: string;
  readonly #acknowledged = new Acknowledgements();
  readonly #faults = new FaultList();
  #held = 0;
  #visits = 0;

  constructor(options: HoldFlowOptions, url: string) {
    this.#options = options;
    this.#writer = new RequestWriter(url, options.tokens);
    this.#path = `/api/v1/events/${options.eventId}/holds`;
    this.#body = JSON.stringify({ items: [{ area: options.area, quantity: 1 }] });
  }

  visitor(): Visitor {
    let text = "";
    let tries = 0;
    let pauseMs = 0;
    let isLost = false;
    const next = (): Step => {
      if (pauseMs > 0) {
        const ms = pauseMs;
        pauseMs = 0;
        return { kind: "pause", ms };
      }
      if (tries === 0) {
        if (this.#held >= this.#options.capacity) return { kind: "end" };
        text = this.#request();
      }
      tries += 1;
      return { kind: "send", stream: 0, text };
    };
    const answered = (answer: HttpAnswer): void => {
      const isToComeAgain = answer.status === 503;
      if (isToComeAgain) pauseMs = BUSY_PAUSE_MS;
      isLost = answer.status === 0 || (isLost && isToComeAgain);
      if (isLost && tries < TRIES_MAX) return;
      tries = 0;
      if (isLost) this.#acknowledged.holdUnknown(0, 1);
      else this.#take(answer);
      isLost = false;
    };
    const left = (): void => {
      // The answer to its last request was lost, and it was to be asked again.
      if (isLost) this.#acknowledged.holdUnknown(0, 1);
    };
    return { next, answered, left };
  }

  findings(): FlowFindings {
    return { acknowledged: this.#acknowledged.pack(), faults: this.#faults.shown, counts: {} };
  }

  #request(): string {
    this.#visits += 1;
    const key = this.#writer.freshKey();
    return this.#writer.post(this.#path, { user: this.#visits, key, body: this.#body });
  }

  #take({ status, body }: HttpAnswer): void {
    if (status !== 201) {
      if (isBusy(status, body) || this.#isSoldOut(status, body)) return;
      return this.#faults.add(`a hold was answered ${status}: ${body.slice(0, 200)}`);
    }
    const id = idOf(body);
    if (id === null) return this.#faults.add(`a hold without an id: ${body.slice(0, 200)}`);
    this.#held += 1;
    const isNew = this.#acknowledged.held({ id, event: 0, places: [-1] });
    if (!isNew) this.#faults.add(`two requests got the same hold ${id}`);
    const fault = priceFault(body, 1);
    if (fault !== null) this.#faults.add(`hold ${id} has ${fault}`);
  }

  /** Not before more places were asked for than there are. */
  #isSoldOut(status: number, body: string): boolean {
    const isTold = status === 409 && codeOf(body) === "insufficient_capacity";
    return isTold && this.#visits > this.#options.capacity;
  }
}
