/**
 * What the tests talk to the server with: HTTP on a bounded number of sockets, and WebSocket. An
 * answer that the OpenAPI document does not promise rejects the request, or ends the test.
 */
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { Packr } from "msgpackr";
import { WebSocket } from "ws";
import { AvailabilityReader } from "../../gateway/live/testing/availability-reader.ts";
import { requireDocumented, requireDocumentedMessage } from "./documented-answers.ts";
import type { BookingShape, HoldShape, Problem } from "./shapes.ts";

const SOCKETS_MAX = 256;
/** An idle socket is closed by us, before the server closes it while we send. */
const IDLE_MS_MAX = 4_000;

export interface Reply<Body> {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Parsed JSON; undefined: the answer had no body. */
  readonly body: Body;
  readonly text: string;
  readonly bytes: Buffer;
}

export interface Ask {
  readonly token?: string;
  readonly key?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Sends requests on kept-alive sockets. `url` is asked for each request: a restart may change it.
 */
export class ApiClient {
  readonly #url: () => string;
  readonly #agent: http.Agent;

  constructor(url: () => string, socketsMax = SOCKETS_MAX) {
    this.#url = url;
    this.#agent = new http.Agent({
      keepAlive: true,
      maxSockets: socketsMax,
      scheduling: "fifo",
      timeout: IDLE_MS_MAX,
    });
  }

  get<Body>(path: string, ask: Ask = {}): Promise<Reply<Body>> {
    return this.request<Body>("GET", path, ask);
  }
  post<Body>(path: string, ask: Ask = {}): Promise<Reply<Body>> {
    return this.request<Body>("POST", path, ask);
  }
  put<Body>(path: string, ask: Ask = {}): Promise<Reply<Body>> {
    return this.request<Body>("PUT", path, ask);
  }
  patch<Body>(path: string, ask: Ask = {}): Promise<Reply<Body>> {
    return this.request<Body>("PATCH", path, ask);
  }
  delete<Body>(path: string, ask: Ask = {}): Promise<Reply<Body>> {
    return this.request<Body>("DELETE", path, ask);
  }

  request<Body>(method: string, path: string, ask: Ask = {}): Promise<Reply<Body>> {
    const payload = payloadOf(ask);
    return new Promise((resolve, reject) => {
      const options = { method, agent: this.#agent, headers: headersOf(ask, payload) };
      const request = http.request(this.#url() + path, options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.once("end", () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString("utf8");
          const isJson = response.headers["content-type"]?.includes("json") ?? false;
          const { statusCode: status = 0, headers } = response;
          try {
            requireDocumented({ method, path, status, headers, text });
          } catch (error) {
            return reject(error);
          }
          // The shape is the contract's; the tests are what checks it.
          const body = (isJson && text !== "" ? JSON.parse(text) : undefined) as Body;
          resolve({ status, headers, body, text, bytes });
        });
      });
      // A socket that is reset while it is written to has two.
      request.on("error", reject);
      request.end(payload);
    });
  }

  /** Sends a request and disconnects at once, without waiting for its answer. */
  async abandon(method: string, path: string, ask: Ask = {}): Promise<void> {
    const payload = payloadOf(ask) ?? "";
    const headers = Object.entries(headersOf(ask, payload));
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const head = `${method} ${path} HTTP/1.1\r\nHost: test\r\n${lines}\r\n`;
    await this.sendRaw(Buffer.concat([Buffer.from(head), Buffer.from(payload)]));
  }

  /** Writes bytes to a socket of their own and disconnects. */
  async sendRaw(bytes: Buffer | string): Promise<void> {
    const socket = this.connect();
    // The server may be gone or hang up first; disconnecting is what is wanted anyway.
    const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => socket.destroy());
    socket.once("connect", () => socket.write(bytes, () => socket.destroy()));
    await gone;
  }

  connect(): net.Socket {
    const { hostname, port } = new URL(this.#url());
    return net.connect(Number(port), hostname);
  }

  close(): void {
    this.#agent.destroy();
  }
}

function payloadOf({ body, raw }: Ask): string | Buffer | undefined {
  return raw ?? (body === undefined ? undefined : JSON.stringify(body));
}

function headersOf(ask: Ask, payload: string | Buffer | undefined): Record<string, string> {
  return {
    ...(ask.token === undefined ? {} : { Authorization: `Bearer ${ask.token}` }),
    ...(ask.key === undefined ? {} : { "Idempotency-Key": ask.key }),
    ...(payload === undefined
      ? {}
      : {
          "Content-Type": "application/json",
          "Content-Length": String(Buffer.byteLength(payload)),
        }),
    ...ask.headers,
  };
}

/** What a WebSocket message may carry, whichever it is. */
export interface LiveMessage {
  readonly op: string;
  readonly id?: string | number;
  readonly status?: number;
  readonly code?: string;
  readonly detail?: string;
  readonly eventId?: string;
  readonly holdId?: string;
  readonly seq?: number;
  readonly from?: number;
  readonly to?: number;
  readonly epoch?: number;
  readonly replayed?: boolean;
  readonly reason?: string;
  readonly body?: HoldShape & BookingShape & Pick<Problem, "code" | "detail" | "errors">;
  readonly hold?: HoldShape;
  readonly booking?: BookingShape;
}

const packr = new Packr({ useRecords: false, variableMapSize: true });

/** One WebSocket; `reader` believes its snapshots and deltas and nothing else. */
export class LiveClient {
  /** Replaced by that of another client, it goes on where that one was. */
  reader = new AvailabilityReader();
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  /** What the reader found wrong; a test asserts that there is nothing. */
  readonly faults: unknown[] = [];
  /** Of binary frames that came: how many messages each had. */
  readonly frameSizes: number[] = [];
  /** Called after each message. */
  onMessage: () => void = () => undefined;
  #unread: LiveMessage[] = [];
  #waiting: (() => void)[] = [];
  /** Questions of `ask` that have no answer yet, by their id. */
  readonly #asked = new Map<string | number, (answer: LiveMessage | null) => void>();
  #askedCount = 0;
  /** The op of each message that was sent with an id. */
  readonly #ops = new Map<unknown, string>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.once("close", () => {
      for (const answer of this.#asked.values()) answer(null);
    });
    socket.on("error", (error) => this.faults.push(error));
    socket.on("message", (data, isBinary) => {
      if (!isBinary) return this.#receive(String(data));
      const messages = packr.unpackMultiple(data as Buffer) ?? [];
      this.frameSizes.push(messages.length);
      for (const message of messages) this.#receive(JSON.stringify(message));
    });
  }

  /** `protocols`: what is offered; with one of MessagePack, that is what it speaks. */
  static async open(url: string, token?: string, protocols: string[] = []): Promise<LiveClient> {
    const query = token === undefined ? "" : `?access_token=${token}`;
    const address = `${url.replace(/^http/, "ws")}/ws${query}`;
    const client = new LiveClient(new WebSocket(address, protocols));
    await once(client.socket, "open");
    return client;
  }

  send(message: object | string): void {
    this.#note(message);
    const isPacked = this.socket.protocol !== "" && typeof message === "object";
    if (isPacked) this.socket.send(packr.pack(message));
    else this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** In one binary frame. */
  sendTogether(...messages: object[]): void {
    for (const message of messages) this.#note(message);
    this.socket.send(Buffer.concat(messages.map((message) => packr.pack(message))));
  }

  /** Sends a message with an id of its own; what is answered to it, a `reply` or an `error`. */
  async ask(message: object): Promise<LiveMessage> {
    if (this.socket.readyState === WebSocket.CLOSED) throw new Error("closed before it was asked");
    this.#askedCount += 1;
    const id = `ask-${this.#askedCount}`;
    const answered = new Promise<LiveMessage | null>((resolve) => this.#asked.set(id, resolve));
    this.send({ ...message, id });
    const answer = await answered;
    this.#asked.delete(id);
    if (answer === null) throw new Error("closed before the answer came");
    return answer;
  }

  /** The first message with this op that was not taken yet; waits for it. */
  async next(op: string, id?: string | number): Promise<LiveMessage> {
    for (;;) {
      const index = this.#unread.findIndex(
        (message) => message.op === op && (id === undefined || message.id === id),
      );
      if (index >= 0) {
        const [message] = this.#unread.splice(index, 1);
        if (message !== undefined) return message;
      }
      if (this.socket.readyState !== WebSocket.OPEN) throw new Error(`closed before "${op}" came`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** All messages with this op that came; they are taken by this. */
  take(op: string): readonly LiveMessage[] {
    const taken = this.untaken(op);
    if (taken.length > 0) this.#unread = this.#unread.filter((message) => message.op !== op);
    return taken;
  }

  /** Messages with this op that came and were not taken. */
  untaken(op: string): readonly LiveMessage[] {
    return this.#unread.filter((message) => message.op === op);
  }

  close(): void {
    this.socket.terminate();
  }

  #note(message: object | string): void {
    const isAsked = typeof message === "object" && "id" in message && "op" in message;
    if (isAsked && typeof message.op === "string") this.#ops.set(message.id, message.op);
  }

  #receive(text: string): void {
    try {
      this.reader.read(text);
    } catch (error) {
      this.faults.push(error);
    }
    const message = JSON.parse(text) as LiveMessage;
    requireDocumentedMessage(message, this.#ops.get(message.id));
    const answer = message.id === undefined ? undefined : this.#asked.get(message.id);
    if (answer !== undefined) return answer(message);
    // Deltas come by the thousand; only their latest is of interest beside the reader.
    if (message.op === "delta") this.#unread = this.#unread.filter(({ op }) => op !== "delta");
    this.#unread.push(message);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
    this.onMessage();
  }
}
