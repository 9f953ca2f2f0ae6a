import { ADMIN, OPS_TOKEN } from "./bench-server.ts";

/** Places of the floor that is sold. */
export const CAPACITY = 1_000_000;

/** What answers are read for, whichever they are. */
interface Reply {
  readonly id: string;
  readonly accessToken: string;
  readonly held: number;
  readonly sold: number;
  readonly ok: boolean;
  readonly drift: readonly string[];
  readonly shards: readonly { readonly projectionLagFacts: number }[];
  readonly fsyncs: number;
  readonly entries: number;
}

/** What a bench asks for beside its load: things to sell, buyers, and how it came out. */
export class BenchApi {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** A published event with one standing area; returns its id. */
  async openFloor(): Promise<string> {
    const { accessToken: token } = await this.#post("/api/v1/auth/login", ADMIN);
    const organization = { name: "Bench", allowInvoices: true };
    const { id: organizationId } = await this.#post("/api/v1/organizations", organization, token);
    const event = {
      organizationId,
      title: "One hot floor",
      startsAt: "2040-01-01T20:00:00Z",
      holdTtlSeconds: 3_600,
      limits: { perOrder: 10, perUser: 100_000 },
      priceCategories: [{ key: "standing", name: "Standing", price: 1_000 }],
      areas: [{ key: "floor", name: "Floor", capacity: CAPACITY, priceCategory: "standing" }],
      publish: true,
    };
    return (await this.#post("/api/v1/events", event, token)).id;
  }

  async guestTokens(count: number): Promise<string[]> {
    const guests = Array.from({ length: count }, () => this.#post("/api/v1/auth/guest", {}));
    return (await Promise.all(guests)).map((guest) => guest.accessToken);
  }

  /** Facts that PostgreSQL lacks, of the shard that lacks most. */
  async projectionLag(): Promise<number> {
    const { shards } = await this.#get("/ops/shards", OPS_TOKEN);
    return Math.max(...shards.map((shard) => shard.projectionLagFacts));
  }

  audit(eventId: string): Promise<Pick<Reply, "ok" | "drift">> {
    return this.#get(`/ops/events/${eventId}/audit`, OPS_TOKEN);
  }

  journal(): Promise<Pick<Reply, "fsyncs" | "entries">> {
    return this.#get("/ops/journal", OPS_TOKEN);
  }

  availability(eventId: string): Promise<Pick<Reply, "held" | "sold">> {
    return this.#get(`/api/v1/events/${eventId}/availability`);
  }

  #get(path: string, token = ""): Promise<Reply> {
    return this.#request(path, { headers: { authorization: `Bearer ${token}` } });
  }

  #post(path: string, body: object, token = ""): Promise<Reply> {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    return this.#request(path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  async #request(path: string, init: RequestInit): Promise<Reply> {
    const response = await fetch(this.#url + path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Reply;
  }
}
