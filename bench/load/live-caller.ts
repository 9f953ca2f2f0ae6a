import { type LiveReply, ReplyReader } from "./live-reply.ts";
import { LiveSocket } from "./live-socket.ts";

export type Told = (reply: LiveReply) => void;

export interface LiveCallerOptions {
  readonly url: string;
  /** Access token. */
  readonly token: string;
}

const CONNECTION_ENDED: LiveReply = { status: 0, body: "", bodyId: "", seq: -1 };

/**
 * Asks the booking desk over one WebSocket, many questions at a time.
 *
 * Invariant: each request is told exactly one reply; status 0 when the connection ended before.
 */
export class LiveCaller {
  readonly #waiting = new Map<number, Told>();
  readonly #reply = new ReplyReader();
  #socket: LiveSocket | null = null;
  #requests = 0;

  /** Rejects with LiveRefused. */
  static async open(options: LiveCallerOptions): Promise<LiveCaller> {
    const caller = new LiveCaller();
    caller.#socket = await LiveSocket.open({
      ...options,
      heard: (bytes, start, end) => {
        if (caller.#reply.take(bytes, start, end)) caller.#tell(caller.#reply.id, caller.#reply);
      },
      closed: () => caller.#ended(),
    });
    return caller;
  }

  get inFlight(): number {
    return this.#waiting.size;
  }

  /** The kernel takes no more for now. */
  get isCongested(): boolean {
    return this.#socket?.isCongested ?? false;
  }

  /** `fields` are the message's, ASCII, but for its op and id: the server refuses by these. */
  request(op: string, fields: string, told: Told): void {
    this.#requests += 1;
    const id = this.#requests;
    this.#waiting.set(id, told);
    if (this.#socket === null) setImmediate(() => this.#tell(id, CONNECTION_ENDED));
    else this.#socket.send(`{"op":"${op}","id":${id},${fields}}`);
  }

  close(): void {
    this.#socket?.close();
  }

  #ended(): void {
    this.#socket = null;
    for (const id of [...this.#waiting.keys()]) this.#tell(id, CONNECTION_ENDED);
  }

  #tell(id: number, reply: LiveReply): void {
    const told = this.#waiting.get(id);
    this.#waiting.delete(id);
    told?.(reply);
  }
}
