import { STATUS_CODES } from "node:http";
import { BODIES_PER_ADDRESS_MAX } from "../../engine/door-limits.ts";
import { STREAMED_ANSWER_BYTES_MIN } from "../../engine/limits.ts";
import type { Network } from "../limits/client-address.ts";
import { type Quota, quotaLines, refusalMembers } from "../limits/quota.ts";
import type { Admission } from "../limits/request-limits.ts";
import type { Log } from "../log.ts";
import { answerHead } from "./answer-head.ts";
import { BodyCollector } from "./body-collector.ts";
import type { Door } from "./door.ts";
import type { HttpRequest, HttpResponse, Route } from "./exchange.ts";
import type { RouteMeter } from "./http-meter.ts";
import { Observation, refusedUnread, type Watch } from "./observation.ts";
import { failureResponse, problem } from "./problem.ts";
import type { ProblemCode } from "./problem-codes.ts";
import type { Saying } from "./refusal-pace.ts";
import type { SlowClients, Waiting } from "./slow-clients.ts";

const STATUS_LINES = new Map(
  Object.entries(STATUS_CODES).map(([code, text]) => [Number(code), `${code} ${text}`]),
);

/** The library's response, as far as it is used here. */
export interface Wire {
  getRemoteAddress(): ArrayBuffer;
  onAborted(handler: () => void): unknown;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown;
  onWritable(handler: (offset: number) => boolean): unknown;
  cork(write: () => void): unknown;
  writeStatus(status: string): unknown;
  writeHeader(name: string, value: string): unknown;
  end(body: string | Buffer, closeConnection?: boolean): unknown;
  endWithoutBody(reportedBytes?: number): unknown;
  tryEnd(body: Buffer, totalBytes: number): [sent: boolean, finished: boolean];
  close(): unknown;
}

/** What the exchanges of one server share. */
export interface Traffic {
  readonly log: Log;
  readonly watch: Watch;
  readonly slow: SlowClients;
  readonly bodies: Door["bodies"];
  readonly pace: Door["pace"];
  /** Requests that are not answered yet, and answers that are not sent yet. */
  open: number;
  /** Bytes of the bodies of unanswered requests. */
  bytes: number;
  /** Told when `open` falls to 0. */
  idle: (() => void) | null;
}

/** A request while it is put together; routes see it read-only. */
export type Draft = { -readonly [Member in keyof HttpRequest]: HttpRequest[Member] };

/** What of the request is not the routes' business. */
export interface Arrival {
  /** Header lines that the answer has, whatever it says. */
  readonly doorLines: string;
  /** Whom it comes from; null: addresses have no bounds. */
  readonly network: Network | null;
  readonly meter: RouteMeter;
}

/** What is answered before the request is read. */
export interface DoorRefusal {
  readonly code: ProblemCode;
  readonly requestId: string;
  readonly doorLines: string;
  readonly meter: RouteMeter;
}

export interface BodyBounds {
  readonly bytesMax: number;
  /** Of a longer one. */
  readonly refusal: ProblemCode;
}

/**
 * One request and its answer.
 *
 * Invariants:
 * - It is answered at most once; a second answer is a bug that is logged and has no effect.
 * - Until `left` the library's callback runs: the response is corked, and nobody goes away. Whoever
 *   made the exchange calls `left` before that callback returns.
 * - `#wire` is not touched after it was aborted or the answer is complete.
 * - It counts in `traffic.open` from its making until the answer is sent or the client is gone.
 * - Its route runs only once it was let in; its body is read meanwhile.
 * - While its client has to send or to read, somebody looks at the time (slow-clients.ts).
 */
export class Exchange implements Waiting {
  readonly request: HttpRequest;
  readonly #traffic: Traffic;
  readonly #wire: Wire;
  readonly #arrival: Arrival;
  #state: "open" | "answered" | "gone" = "open";
  #counted = true;
  #isInCallback = true;
  #collector: BodyCollector | null = null;
  #isBodyOnItsWay = false;
  #admission: Admission | null = null;
  #isAsking = false;
  /** What runs once it was let in. */
  #next: Route | null = null;
  #shown: Quota | null = null;
  readonly #observation: Observation;

  constructor(traffic: Traffic, wire: Wire, request: HttpRequest, arrival: Arrival) {
    this.#traffic = traffic;
    this.#wire = wire;
    this.request = request;
    this.#arrival = arrival;
    this.#observation = new Observation(traffic.watch, arrival.meter, request);
    traffic.open += 1;
  }

  /** The library's callback is about to return: from now on the client may go away. */
  left(): void {
    this.#isInCallback = false;
    if (this.#counted) this.#wire.onAborted(() => this.#abort());
  }

  /** False: it was refused. */
  admit(admitted: Admission | Promise<Admission>): boolean {
    if (!(admitted instanceof Promise)) return this.#admitted(admitted);
    this.#isAsking = true;
    admitted.then(
      (admission) => {
        this.#isAsking = false;
        if (this.#state !== "open" || !this.#admitted(admission)) return;
        if (this.#next !== null) this.run(this.#next);
      },
      (error: unknown) => this.answer(failureResponse(error, this.request.requestId)),
    );
    return true;
  }

  #admitted(admission: Admission): boolean {
    this.#admission = admission;
    const { quota } = admission;
    this.#shown = quota;
    if (quota === null || quota.isAllowed) return true;
    this.answer(problem("rate_limited", this.request.requestId, refusalMembers(quota)));
    return false;
  }

  /** The answer's headers tell of this bound, and not of the route's own. */
  show(quota: Quota): void {
    this.#shown = quota;
  }

  /** Reads the body, then runs the route. */
  receive(route: Route, draft: Draft, { bytesMax, refusal }: BodyBounds): void {
    const collector = new BodyCollector(bytesMax, this.#traffic);
    this.#collector = collector;
    this.#wire.onData((chunk, isLast) => {
      if (this.#state !== "open") return;
      const collected = collector.add(chunk, isLast);
      if (collected.kind === "complete") {
        this.#bodyCame();
        draft.body = collected.body;
        this.run(route);
      } else if (collected.kind === "tooLarge") {
        this.refuse(refusal);
      } else if (collected.kind === "noRoom" || !this.#bodyComes(bytesMax)) {
        this.refuse("busy");
      }
    });
  }

  /** There is more of it to come. False: too many bodies of that address are on their way. */
  #bodyComes(bytesMax: number): boolean {
    if (this.#isBodyOnItsWay) return true;
    const { network } = this.#arrival;
    const { bodies, slow } = this.#traffic;
    if (network !== null && !bodies.enter(network, BODIES_PER_ADDRESS_MAX)) return false;
    this.#isBodyOnItsWay = true;
    slow.watchBody(this, bytesMax);
    return true;
  }

  #bodyCame(): void {
    if (!this.#isBodyOnItsWay) return;
    this.#isBodyOnItsWay = false;
    const { network } = this.#arrival;
    if (network !== null) this.#traffic.bodies.leave(network);
    this.#traffic.slow.done(this);
  }

  tooSlow(): void {
    if (this.#state === "open") {
      this.#write(this.#taken(problem("request_timeout", this.request.requestId)), true);
    } else if (this.#counted) this.#wire.close();
  }

  run(route: Route): void {
    if (this.#isAsking) {
      this.#next = route;
      return;
    }
    this.#observation.run(() => this.#run(route));
  }

  #run(route: Route): void {
    try {
      route.handler(this.request, (response) => this.answer(response));
    } catch (error) {
      if (this.#state === "open") this.answer(failureResponse(error, this.request.requestId));
      else this.#traffic.log.error({ ...this.#where(), err: error }, "handler failed after answer");
    }
  }

  refuse(code: ProblemCode): void {
    this.answer(problem(code, this.request.requestId));
  }

  answer(response: HttpResponse): void {
    if (response.cause !== undefined) {
      // Below 500 it is what somebody else did meanwhile; looked at when there are many of them.
      const level = response.status >= 500 ? "error" : "warn";
      this.#traffic.log[level]({ ...this.#where(), err: response.cause }, "request failed");
    }
    if (this.#state === "gone") return;
    if (this.#state === "answered") {
      this.#traffic.log.error({ ...this.#where(), status: response.status }, "answered twice");
      return;
    }
    this.#write(this.#taken(response));
  }

  /** From here on it is answered. */
  #taken(response: HttpResponse): HttpResponse {
    this.#state = "answered";
    this.#bodyCame();
    this.#collector?.discard();
    // What could not be tried does not count.
    if (response.status === 503 && this.#admission !== null) {
      this.#shown = this.#admission.giveBack();
    }
    return response;
  }

  #write(response: HttpResponse, closeConnection = false): void {
    if (this.#isInCallback) this.#writeAll(response, closeConnection);
    else this.#wire.cork(() => this.#writeAll(response, closeConnection));
    this.#observation.ended(response.status, response.code);
  }

  #writeAll(response: HttpResponse, closeConnection: boolean): void {
    const wire = this.#wire;
    const { status, body } = response;
    const shown = this.#shown === null ? "" : quotaLines(this.#shown);
    const doorLines = this.#arrival.doorLines + shown;
    writeHead(wire, response, { requestId: this.request.requestId, doorLines });
    if (body === null) {
      // 204 and 304 have no length; the others have one of 0.
      if (status === 204 || status === 304) wire.endWithoutBody();
      else wire.end("");
    } else if (this.#arrival.meter.method === "HEAD") {
      // Reported through endWithoutBody, the length would leave the response unfinished.
      wire.writeHeader("Content-Length", String(Buffer.byteLength(body)));
      wire.endWithoutBody();
    } else if (body.length >= STREAMED_ANSWER_BYTES_MIN) {
      this.#stream(typeof body === "string" ? Buffer.from(body) : body);
      return;
    } else {
      wire.end(body, closeConnection);
    }
    this.#settle();
  }

  /** Sends as fast as the client reads: no copy of the rest waits for it. */
  #stream(body: Buffer): void {
    const [, finished] = this.#wire.tryEnd(body, body.length);
    if (finished) {
      this.#settle();
      return;
    }
    this.#traffic.slow.watch(this, body.length);
    this.#wire.onWritable((offset) => {
      const [sent, done] = this.#wire.tryEnd(body.subarray(offset), body.length);
      if (done) this.#settle();
      return sent;
    });
  }

  #abort(): void {
    this.#state = "gone";
    this.#bodyCame();
    this.#observation.ended(0);
    this.#collector?.discard();
    this.#settle();
  }

  #settle(): void {
    if (!this.#counted) return;
    this.#counted = false;
    this.#traffic.slow.done(this);
    this.#traffic.open -= 1;
    if (this.#traffic.open === 0) this.#traffic.idle?.();
  }

  #where() {
    const { method, route } = this.#arrival.meter;
    return { requestId: this.request.requestId, method, route };
  }
}

function writeHead(
  wire: Wire,
  response: HttpResponse,
  parts: { readonly requestId: string; readonly doorLines: string },
): void {
  wire.writeStatus(STATUS_LINES.get(response.status) ?? String(response.status));
  const [name, value] = answerHead(response, parts);
  wire.writeHeader(name, value);
}

/**
 * Answers inside the library's own callback, which has corked the response: nothing of the request
 * is kept, and what of its body still comes is not listened to.
 */
export function refuseAtDoor(wire: Wire, watch: Watch, refusal: DoorRefusal, durationMs = 0): void {
  const { code, meter, requestId } = refusal;
  const response = problem(code, requestId);
  writeHead(wire, response, refusal);
  wire.end(response.body ?? "");
  refusedUnread(watch, meter, { requestId, status: response.status, code, durationMs });
}

/** The same when `traffic.pace` says so: now or later. */
export function refuseInTurn(wire: Wire, traffic: Traffic, refusal: DoorRefusal): void {
  if (traffic.pace.isTurn()) refuseAtDoor(wire, traffic.watch, refusal);
  else traffic.pace.wait(refusalLater(wire, traffic, refusal));
}

/** Until it is said, or the client has gone, the request is open. */
function refusalLater(wire: Wire, traffic: Traffic, refusal: DoorRefusal): Saying {
  const sinceMs = performance.now();
  let isOpen = true;
  const close = (): void => {
    isOpen = false;
    traffic.open -= 1;
    if (traffic.open === 0) traffic.idle?.();
  };
  traffic.open += 1;
  wire.onAborted(() => {
    if (!isOpen) return;
    close();
    refusal.meter.gone();
  });
  return () => {
    if (!isOpen) return false;
    close();
    const waitedMs = performance.now() - sinceMs;
    wire.cork(() => refuseAtDoor(wire, traffic.watch, refusal, waitedMs));
    return true;
  };
}
