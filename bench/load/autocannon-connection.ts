import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type autocannon from "autocannon";

/** What came back for a request; `status` 0: nothing, as the connection ended or took too long. */
export interface HttpAnswer {
  readonly status: number;
  /** Status line and headers as they were sent; where it came in pieces, the headers alone. */
  readonly head: string;
  /** Read as Latin-1: what a load looks for in it are ids and names of fields. */
  readonly body: string;
}

export interface ConnectionOwner {
  /** Nothing is on its way: the moment to send, now or later, or to end. */
  ready(): void;
  /** Told once for each request that was sent, before `ready`. */
  answered(answer: HttpAnswer): void;
  /** The connection is at its end, by `end` or since nobody answers. */
  closed(): void;
}

export const LOST: HttpAnswer = { status: 0, head: "", body: "" };

/** Of autocannon's client, what its types leave out; `adopt` looks whether it is there. */
type CannonClient = autocannon.Client & {
  on(event: "done", listener: () => void): unknown;
  conn: Socket;
  readonly destroyed: boolean;
  requestIterator: object;
  readonly parser: { execute(chunk: Buffer): unknown; initialize(type: "RESPONSE"): void };
  readonly pipelinedRequests: { clear(): void; terminateRequest(): unknown };
  _doRequest(): void;
  destroy(): void;
};

type RawHeaders = readonly string[];

/** Answers that nobody got, one after another, after which a connection gives up. */
const LOST_IN_A_ROW_MAX = 10;
/** Tries to connect, one after another, after which there is nobody there. */
const TRIES_MAX = 10;

/**
 * One connection of autocannon, with its hooks in our hands: autocannon connects, connects again,
 * notices silence, and reads answers that come in pieces. What is sent and when, and what is made
 * of an answer, its owner decides. Left to itself, autocannon builds each request from objects and
 * reads each answer letter by letter, which costs about four times as much: time that a server on
 * the same machine would lack.
 *
 * Invariants: at most one request is on its way; its owner is told of each exactly once; after
 * `end` its owner is told of nothing but `closed`.
 */
export class AutocannonConnection {
  readonly #client: CannonClient;
  readonly #owner: ConnectionOwner;
  /** autocannon's own way to send what its iterator stands at. */
  readonly #sendCurrent: () => void;
  /** autocannon's own way to read. */
  readonly #readInPieces: (chunk: Buffer) => unknown;
  readonly #current = { requestBuffer: "" };
  #isInFlight = false;
  /** An answer comes in pieces: autocannon's parser has it. */
  #isInPieces = false;
  #lostInARow = 0;
  /** Tries to connect since it last was connected. */
  #tries = 0;

  /** To be called from `setupClient`: before the client connects. */
  constructor(given: autocannon.Client, owner: ConnectionOwner) {
    const client = adopt(given);
    this.#client = client;
    this.#owner = owner;
    this.#sendCurrent = client._doRequest.bind(client);
    this.#readInPieces = client.parser.execute.bind(client.parser);
    client.requestIterator = {
      currentRequest: this.#current,
      resetted: false,
      nextRequest: () => undefined,
      recordBody: (_: unknown, status: number, body: string, headers: RawHeaders = []) =>
        this.#toldInPieces(status, body, headers),
    };
    client.parser.execute = (chunk) => this.#read(chunk);
    client.on("done", () => owner.closed());
    client._doRequest = () => this.#connected();
  }

  send(request: string): void {
    this.#isInFlight = true;
    this.#current.requestBuffer = request;
    this.#sendCurrent();
  }

  end(): void {
    this.#client.destroy();
  }

  /** At the beginning, after each answer in pieces, and whenever it has connected again. */
  #connected(): void {
    const { conn } = this.#client;
    if (this.#isInFlight) this.#lose();
    if (this.#client.destroyed) return;
    // What is sent while it connects would count the connecting as the server's time.
    if (!conn.connecting) return this.#goOn();
    this.#tries += 1;
    if (this.#tries > TRIES_MAX) return this.#client.destroy();
    conn.once("connect", () => {
      this.#tries = 0;
      this.#goOn();
    });
  }

  #goOn(): void {
    if (!this.#client.destroyed && !this.#isInFlight) this.#owner.ready();
  }

  #lose(): void {
    this.#isInFlight = false;
    this.#isInPieces = false;
    this.#client.parser.initialize("RESPONSE");
    this.#client.pipelinedRequests.clear();
    this.#lostInARow += 1;
    this.#owner.answered(LOST);
    if (this.#lostInARow >= LOST_IN_A_ROW_MAX) this.#client.destroy();
  }

  #read(chunk: Buffer): void {
    const answer = this.#isInPieces || !this.#isInFlight ? null : wholeAnswer(chunk);
    if (answer === null) {
      this.#isInPieces = true;
      this.#readInPieces(chunk);
      return;
    }
    this.#client.pipelinedRequests.terminateRequest();
    this.#tell(answer);
    this.#goOn();
  }

  #toldInPieces(status: number, body: string, headers: RawHeaders): void {
    this.#isInPieces = false;
    const lines = headers.map((text, index) => (index % 2 === 0 ? `\r\n${text}: ` : text));
    this.#tell({ status, head: `${lines.join("")}\r\n`, body });
  }

  #tell(answer: HttpAnswer): void {
    this.#isInFlight = false;
    this.#lostInARow = 0;
    this.#owner.answered(answer);
  }
}

const LENGTH = /\r\ncontent-length: *(\d+)/i;

/** null: the chunk is not exactly one answer that says how long it is. */
export function wholeAnswer(chunk: Buffer): HttpAnswer | null {
  const text = chunk.toString("latin1");
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd === -1 || !text.startsWith("HTTP/1.1 ")) return null;
  const head = text.slice(0, headEnd + 2);
  const status = Number(head.slice(9, 12));
  const hasNoBody = status === 204 || status === 304;
  const length = hasNoBody ? "0" : LENGTH.exec(head)?.[1];
  if (length === undefined || text.length !== headEnd + 4 + Number(length)) return null;
  return { status, head, body: text.slice(headEnd + 4) };
}

/** Our hooks are autocannon's inside: a release that changed them must not go unnoticed. */
function adopt(given: autocannon.Client): CannonClient {
  const client = given as CannonClient;
  const isKnown =
    client instanceof EventEmitter &&
    typeof client._doRequest === "function" &&
    typeof client.parser?.execute === "function" &&
    typeof client.parser.initialize === "function" &&
    typeof client.pipelinedRequests?.terminateRequest === "function" &&
    typeof client.requestIterator === "object";
  if (!isKnown) throw new Error("this release of autocannon is not the one that is known here");
  return client;
}
