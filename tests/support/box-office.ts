/** A server for a file of tests, and the steps that they have in common. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before } from "node:test";
import { ApiClient, type Ask, type Reply } from "./client.ts";
import { MailFolder } from "./mail-folder.ts";
import { TestNode } from "./server.ts";
import type { BookingShape, EventShape, HoldShape, Problem, SignedIn } from "./shapes.ts";
import { adminToken, ok } from "./venue.ts";

export interface Person {
  readonly token: string;
  readonly id: string;
  readonly email: string;
}

type Environment = Readonly<Record<string, string>>;

/** Invariant: between `before` and `after` of its file, a node runs and `admin` is signed in. */
export class BoxOffice {
  #node: TestNode | null = null;
  #admin = "";
  readonly api = new ApiClient(() => this.node.url);

  /**
   * Starts a node before the file's tests, and removes it after them. `env`: further variables, or
   * what makes them just before.
   */
  static forThisFile(env: Environment | (() => Promise<Environment>) = {}): BoxOffice {
    const office = new BoxOffice();
    before(async () => {
      office.#node = await TestNode.start(typeof env === "function" ? await env() : env);
      office.#admin = await adminToken(office.api);
    });
    after(async () => {
      office.api.close();
      const node = office.#node;
      if (node === null) return;
      assert.deepEqual(node.errors, [], "nothing went wrong inside");
      await node.remove();
    });
    return office;
  }

  get node(): TestNode {
    if (this.#node === null) throw new Error("the node has not been started");
    return this.#node;
  }

  /** Token of the administrator, who organises every event of the tests. */
  get admin(): string {
    return this.#admin;
  }

  async register(email = `${randomUUID()}@example.org`): Promise<Person> {
    const body = { email, password: "long enough 1" };
    const reply = await this.api.post<SignedIn>("/api/v1/auth/register", { body });
    const { user, accessToken } = ok(reply, 201);
    return { token: accessToken, id: user.id, email };
  }

  /** Somebody whose account owns its address. */
  async confirmed(): Promise<Person> {
    const person = await this.register();
    await new MailFolder(() => this.node.dataDir).confirm(this.api, person);
    return person;
  }

  /** Asks for a hold of these items. */
  tryHold(
    event: EventShape,
    token: string,
    items: readonly object[],
    more: object = {},
  ): Promise<Reply<HoldShape>> {
    const body = { items, ...more };
    return this.api.post<HoldShape>(`/api/v1/events/${event.id}/holds`, { token, body });
  }

  async hold(event: EventShape, token: string, items: readonly object[]): Promise<HoldShape> {
    return ok(await this.tryHold(event, token, items), 201);
  }

  tryBook(
    event: EventShape,
    token: string,
    holdId: string,
    { provider = "none", ...ask }: Ask & { readonly provider?: string } = {},
  ): Promise<Reply<BookingShape>> {
    const body = { holdId, payment: { provider } };
    const path = `/api/v1/events/${event.id}/bookings`;
    return this.api.post<BookingShape>(path, { token, body, ...ask });
  }

  /** Holds and books these items, unpaid. */
  async book(event: EventShape, token: string, items: readonly object[]): Promise<BookingShape> {
    const { id } = await this.hold(event, token, items);
    return ok(await this.tryBook(event, token, id), 201);
  }

  async booking(id: string, token: string): Promise<BookingShape> {
    return ok(await this.api.get<BookingShape>(`/api/v1/bookings/${id}`, { token }));
  }
}

export const seats = (...ids: string[]): { seat: string }[] => ids.map((seat) => ({ seat }));

export const floor = (quantity: number) => ({ area: "floor", quantity });

export const best = (wish: object) => ({ bestAvailable: wish });

/** The problem that a request was refused with. */
export function refused(reply: Reply<unknown>, status: number, code: string): Problem {
  assert.equal(reply.status, status, reply.text);
  assert.match(reply.headers["content-type"] ?? "", /^application\/problem\+json/);
  const problem = reply.body as Problem;
  assert.deepEqual([problem.code, problem.status], [code, status]);
  return problem;
}
