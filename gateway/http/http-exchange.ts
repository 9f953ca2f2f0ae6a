import { STATUS_CODES } from "node:http";
import { STREAMED_ANSWER_BYTES_MIN } from "../../engine/limits.ts";
import type { Log } from "../log.ts";
import { BodyCollector } from "./body-collector.ts";
import type { HttpRequest, HttpResponse, Route } from "./exchange.ts";
import { failureResponse, problem } from "./problem.ts";
import type { ProblemCode } from "./problem-codes.ts";

const JSON_TYPE = "application/json; charset=utf-8";
const STATUS_LINES = new Map(
  Object.entries(STATUS_CODES).map(([code, text]) => [Number(code), `${code} ${text}`]),
);

/** The library's response, as far as it is used here. */
export interface Wire {
  getRemoteAddressAsText(): ArrayBuffer;
  onAborted(handler: () => void): unknown;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown;
  onWritable(handler: (offset: number) => boolean): unknown;
  cork(write: () => void): unknown;
  writeStatus(status: string): unknown;
  writeHeader(name: string, value: string): unknown;
  end(body: string | Buffer): unknown;
  endWithoutBody(reportedBytes?: number): unknown;
  tryEnd(body: Buffer, totalBytes: number): [sent: boolean, finished: boolean];
}

/** What the exchanges of one server share. */
export interface Traffic {
  readonly log: Log;
  /** Requests that are not answered yet, and answers that are not sent yet. */
  open: number;
  /** Bytes of the bodies of unanswered requests. */
  bytes: number;
  /** Told when `open` falls to 0. */
  idle: (() => void) | null;
}

/** A request while it is put together; routes see it read-only. */
export type Draft = { -readonly [Member in keyof HttpRequest]: HttpRequest[Member] };

/**
 * One request and its answer.
 *
 * Invariants:
 * - It is answered at most once; a second answer is a bug that is logged and has no effect.
 * - `#wire` is not touched after it was aborted or the answer is complete.
 * - It counts in `traffic.open` from its making until the answer is sent or the client is gone.
 */
export class Exchange {
  readonly request: HttpRequest;
  readonly #traffic: Traffic;
  readonly #wire: Wire;
  readonly #isHead: boolean;
  #state: "open" | "answered" | "gone" = "open";
  #counted = true;
  #collector: BodyCollector | null = null;

  constructor(traffic: Traffic, wire: Wire, request: HttpRequest, isHead: boolean) {
    this.#traffic = traffic;
    this.#wire = wire;
    this.request = request;
    this.#isHead = isHead;
    traffic.open += 1;
    wire.onAborted(() => this.#abort());
  }

  /** Reads the body, then runs the route. */
  receive(route: Route, draft: Draft, bytesMax: number): void {
    const collector = new BodyCollector(bytesMax, this.#traffic);
    this.#collector = collector;
    this.#wire.onData((chunk, isLast) => {
      if (this.#state !== "open") return;
      const collected = collector.add(chunk, isLast);
      if (collected.kind === "complete") {
        draft.body = collected.body;
        this.run(route);
      } else if (collected.kind === "tooLarge") {
        this.refuse("payload_too_large");
      } else if (collected.kind === "noRoom") {
        this.refuse("busy");
      }
    });
  }

  run(route: Route): void {
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
      this.#traffic.log.error({ ...this.#where(), err: response.cause }, "request failed");
    }
    if (this.#state === "gone") return;
    if (this.#state === "answered") {
      this.#traffic.log.error({ ...this.#where(), status: response.status }, "answered twice");
      return;
    }
    this.#state = "answered";
    this.#collector?.discard();
    this.#wire.cork(() => this.#write(response));
  }

  #write(response: HttpResponse): void {
    const wire = this.#wire;
    const { status, body } = response;
    writeHead(wire, response, this.request.requestId);
    if (body === null) {
      // 204 and 304 have no length; the others have one of 0.
      if (status === 204 || status === 304) wire.endWithoutBody();
      else wire.end("");
    } else if (this.#isHead) {
      // Reported through endWithoutBody, the length would leave the response unfinished.
      wire.writeHeader("Content-Length", String(Buffer.byteLength(body)));
      wire.endWithoutBody();
    } else if (body.length >= STREAMED_ANSWER_BYTES_MIN) {
      this.#stream(typeof body === "string" ? Buffer.from(body) : body);
      return;
    } else {
      wire.end(body);
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
    this.#wire.onWritable((offset) => {
      const [sent, done] = this.#wire.tryEnd(body.subarray(offset), body.length);
      if (done) this.#settle();
      return sent;
    });
  }

  #abort(): void {
    this.#state = "gone";
    this.#collector?.discard();
    this.#settle();
  }

  #settle(): void {
    if (!this.#counted) return;
    this.#counted = false;
    this.#traffic.open -= 1;
    if (this.#traffic.open === 0) this.#traffic.idle?.();
  }

  #where() {
    const { requestId, method, path } = this.request;
    return { requestId, method, path };
  }
}

function writeHead(wire: Wire, response: HttpResponse, requestId: string): void {
  const { status, body, headers } = response;
  wire.writeStatus(STATUS_LINES.get(status) ?? String(status));
  if (body !== null) wire.writeHeader("Content-Type", response.contentType ?? JSON_TYPE);
  wire.writeHeader("X-Request-Id", requestId);
  wire.writeHeader("X-Content-Type-Options", "nosniff");
  for (const name in headers) wire.writeHeader(name, headers[name] ?? "");
}

/**
 * Answers `busy` inside the library's own callback, which has corked the response: nothing of the
 * request is kept, and what of its body still comes is not listened to.
 */
export function refuseBusy(wire: Wire, requestId: string): void {
  const response = problem("busy", requestId);
  writeHead(wire, response, requestId);
  wire.end(response.body ?? "");
}
