import type { Random } from "../../engine/testing/random.ts";
import { parseJsonText } from "../../gateway/http/json-body.ts";
import type { JsonObject } from "../../gateway/openapi/json.ts";
import { isObject, memberAt } from "../support/answer-contract.ts";
import { LiveClient } from "../support/client.ts";
import { hostileBody, hostileValue, TOKENS } from "./hostile-values.ts";
import type { HttpRequests, Subject } from "./http-requests.ts";
import type { Scene } from "./scene.ts";

/** Ops that are heard but not replied to under their id. */
const UNREPLIED: ReadonlySet<string> = new Set(["subscribe", "unsubscribe"]);
/** Closes that a client has brought on itself: a message too big, no UTF-8, a slow reader. */
const DESERVED: ReadonlySet<number> = new Set([1006, 1007, 1009, 1013]);

export interface LiveOutcome {
  readonly op: string;
  readonly status: string;
}

/**
 * Says things over one WebSocket, reconnecting when it was cut off. Whatever is heard is held
 * against the document by LiveClient.
 */
export class LiveFuzz {
  readonly #url: () => string;
  readonly #messages: Readonly<Record<string, JsonObject>>;
  readonly #requests: HttpRequests;
  readonly #random: Random;
  readonly #scene: Scene;
  #client: LiveClient | null = null;
  #token = "";

  constructor(options: {
    readonly url: () => string;
    readonly document: JsonObject;
    readonly requests: HttpRequests;
    readonly random: Random;
    readonly scene: Scene;
  }) {
    this.#url = options.url;
    this.#requests = options.requests;
    this.#random = options.random;
    this.#scene = options.scene;
    const messages = memberAt(options.document, "x-websocket", "clientMessages");
    this.#messages = Object.fromEntries(
      Object.entries(isObject(messages) ? messages : {}).map(([op, message]) => {
        return [op, isObject(message) ? message : {}];
      }),
    );
  }

  get ops(): readonly string[] {
    return Object.keys(this.#messages);
  }

  /** One message, and what came of it; `text` is what was sent. */
  async say(note: (text: string) => void): Promise<LiveOutcome> {
    const client = await this.#connected();
    const roll = this.#random.next();
    if (roll < 0.12) return this.#sayNonsense(client, note);
    const op = this.#random.pick(this.ops);
    const message = this.#messageOf(op, roll < 0.55);
    note(JSON.stringify(message).slice(0, 2_000));
    // A message that is refused before it is read has no id, and so its reply has none.
    const isRead = "value" in parseJsonText(JSON.stringify(message));
    const isReplied = isRead && !UNREPLIED.has(op) && isObject(message) && message.op === op;
    if (!isReplied) {
      client.send(message);
      return { op, status: "sent" };
    }
    const answer = await client.ask(message);
    return { op, status: String(answer.status ?? answer.code) };
  }

  /** A question that makes sense: whatever was said before, it is answered. */
  async check(): Promise<void> {
    const client = await this.#connected();
    await client.ask({ op: "auth", token: this.#token });
  }

  close(): void {
    this.#client?.close();
  }

  async #connected(): Promise<LiveClient> {
    if (this.#client !== null && this.#client.socket.readyState === 1) return this.#client;
    if (this.#client !== null) {
      const code = await this.#client.closed;
      if (!DESERVED.has(code)) throw new Error(`the WebSocket was closed with ${code}`);
    }
    this.#token = this.#random.pick(this.#scene.tokens);
    this.#client = await LiveClient.open(this.#url(), this.#token);
    return this.#client;
  }

  #messageOf(op: string, isValid: boolean): object {
    const described = this.#messages[op];
    const hold = this.#scene.any("hold");
    const booking = this.#scene.any("booking");
    const token = hold?.token ?? booking?.token ?? "";
    const subject: Subject = { event: this.#scene.any("event"), hold, booking, token };
    const hints = this.#requests.hintsOf(subject);
    const value = this.#requests.values.valid(described?.schema, (name) =>
      name === "token" ? this.#random.pick([token, this.#token, ...TOKENS]) : hints(name),
    );
    const said = isValid ? value : this.#requests.values.nearlyValid(value);
    // A message that is no object can't be asked with an id.
    return isObject(said) ? { ...said, ...(isValid ? { op } : {}) } : { op, said };
  }

  async #sayNonsense(client: LiveClient, note: (text: string) => void): Promise<LiveOutcome> {
    const kind = this.#random.pick(["text", "text", "binary", "op", "id"]);
    note(kind);
    if (kind === "text") client.send(String(hostileBody(this.#random)));
    else if (kind === "binary") client.socket.send(Buffer.from([0x81, 0xa2, 0x6f, 0x70]));
    else if (kind === "op") client.send({ op: hostileValue(this.#random) });
    else client.send({ op: "hold", id: hostileValue(this.#random), eventId: null });
    return { op: "nonsense", status: kind };
  }
}
