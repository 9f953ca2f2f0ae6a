import { SOCKET_REQUESTS_IN_FLIGHT_MAX } from "../engine/limits.ts";
import { LiveCaller } from "./load/live-caller.ts";
import {
  type Door,
  type DoorOptions,
  freshKey,
  ITEMS,
  PAYMENT,
  type Replied,
  type Visit,
} from "./sale-door.ts";

/** Buyers who enter one after another through the same socket: so many share one write. */
const ENTRIES_PER_SOCKET = 32;

interface Gate {
  readonly socket: LiveCaller;
  inside: number;
}

/**
 * Buyers over WebSockets: many are inside through each, without waiting for one another.
 *
 * Invariant: through one socket at most as many as the server says that it takes.
 */
export class LiveDoor implements Door {
  readonly #eventId: string;
  readonly #gates: readonly Gate[];
  #entered = 0;

  private constructor(eventId: string, sockets: readonly LiveCaller[]) {
    this.#eventId = eventId;
    this.#gates = sockets.map((socket) => ({ socket, inside: 0 }));
  }

  static async open({ url, eventId, tokens, connections }: DoorOptions): Promise<LiveDoor> {
    const opening = Array.from({ length: connections }, (_, n) =>
      LiveCaller.open({ url, token: tokens[n % tokens.length] ?? "" }),
    );
    return new LiveDoor(eventId, await Promise.all(opening));
  }

  get inside(): number {
    return this.#gates.reduce((sum, gate) => sum + gate.inside, 0);
  }

  enter(): Visit | null {
    const gate = this.#nextGate();
    if (gate === null) return null;
    const { socket } = gate;
    this.#entered += 1;
    gate.inside += 1;
    const key = freshKey();
    const ask = (op: string, key: string, body: string, replied: Replied): void => {
      const fields = `"eventId":"${this.#eventId}","idempotencyKey":"${key}",${body}`;
      // Over a WebSocket nobody is told when to come back.
      socket.request(op, fields, ({ status, body }) => {
        replied({ status, body, hasRetryAfter: true });
      });
    };
    return {
      hold: (replied) => ask("hold", freshKey(), ITEMS, replied),
      book: (holdId, replied) => ask("book", key, `"holdId":"${holdId}",${PAYMENT}`, replied),
      leave: () => {
        gate.inside -= 1;
      },
    };
  }

  close(): void {
    for (const { socket } of this.#gates) socket.close();
  }

  #nextGate(): Gate | null {
    for (let tries = 0; tries < this.#gates.length; tries += 1) {
      const turn = Math.floor(this.#entered / ENTRIES_PER_SOCKET);
      const gate = this.#gates[turn % this.#gates.length];
      if (gate !== undefined && gate.inside < SOCKET_REQUESTS_IN_FLIGHT_MAX) return gate;
      // The next socket's turn begins.
      this.#entered = (turn + 1) * ENTRIES_PER_SOCKET;
    }
    return null;
  }
}
