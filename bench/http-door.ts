import { RawConnection } from "./raw-connection.ts";
import {
  type Door,
  type DoorOptions,
  freshKey,
  ITEMS,
  PAYMENT,
  type Replied,
  type Visit,
} from "./sale-door.ts";

interface Heads {
  readonly hold: string;
  readonly booking: string;
}

/** Buyers over HTTP: each has a connection for themselves while they are inside. */
export class HttpDoor implements Door {
  readonly #heads: readonly Heads[];
  readonly #connections: readonly RawConnection[];
  readonly #idle: RawConnection[];
  #entered = 0;

  constructor({ url, eventId, tokens, connections }: DoorOptions) {
    const { host, hostname, port } = new URL(url);
    const base = `/api/v1/events/${eventId}`;
    this.#heads = tokens.map((token) => {
      const type = "Content-Type: application/json";
      const rest = ` HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n${type}\r\n`;
      return { hold: `POST ${base}/holds${rest}`, booking: `POST ${base}/bookings${rest}` };
    });
    this.#connections = Array.from(
      { length: connections },
      () => new RawConnection(hostname, Number(port)),
    );
    this.#idle = [...this.#connections];
  }

  get inside(): number {
    return this.#connections.length - this.#idle.length;
  }

  enter(): Visit | null {
    const connection = this.#idle.pop();
    const heads = this.#heads[this.#entered % this.#heads.length];
    this.#entered += 1;
    if (connection === undefined || heads === undefined) return null;
    const key = freshKey();
    return {
      hold: (replied) => connection.send(request(heads.hold, freshKey(), `{${ITEMS}}`), replied),
      book: (holdId, replied: Replied) => {
        const body = `{"holdId":"${holdId}",${PAYMENT}}`;
        connection.send(request(heads.booking, key, body), replied);
      },
      leave: () => this.#idle.push(connection),
    };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

function request(head: string, key: string, body: string): string {
  const length = `Content-Length: ${body.length}\r\n`;
  return `${head}Idempotency-Key: ${key}\r\n${length}\r\n${body}`;
}
