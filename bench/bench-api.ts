import { setTimeout as delay } from "node:timers/promises";
import { ADMIN, OPS_TOKEN } from "./bench-server.ts";
import type { Arena } from "./hall/arena.ts";
import { categoryKey } from "./hall/hall.ts";
import { plainPlan } from "./hall/plain-plan.ts";
import type { ShownState } from "./live/state-fold.ts";
import { PRICE_MINOR } from "./price.ts";
import type { Access } from "./scenario.ts";
import { reach } from "./server-reach.ts";

/** Places of the floor that is sold. */
export const CAPACITY = 1_000_000;

/** Longer than any load: what is held stays held, unless an event says otherwise. */
const HOLD_TTL_SECONDS = 86_400;
const PLACES_PER_USER_MAX = 100_000;
const PROJECTED_LOOK_MS = 50;
const GUESTS_AT_ONCE = 16;
const PAGE_ENTRIES_MAX = 100;
/** An answer that is not understood is shown so far. */
const SHOWN_CHARS_MAX = 300;
const BUSY = 503;
/** Half a minute: as long as a node may take that loads all its actors at once. */
const BUSY_TRIES_MAX = 120;
const BUSY_PAUSE_MS = 250;

/** Of its life: so long a token is used, and then the next is asked for. */
const TOKEN_USED_SHARE = 0.5;

const AUDIENCE_TOLD_EVERY = 500;
const CAMPAIGN = {
  name: "Come again",
  segment: { kind: "attended" },
  variants: [
    {
      subject: "{{ organisation }}: what comes next",
      blocks: {
        greeting: "<p>Hello,</p>",
        intro: "<p>thank you for coming. Here is what we play next, and we hope to see you.</p>",
        link: '<p><a href="https://example.org/events">All events</a></p>',
      },
    },
  ],
};

/** What answers are read for, whichever they are. */
interface Reply extends ShownState {
  readonly id: string;
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly capacity: number;
  readonly ok: boolean;
  readonly drift: readonly string[];
  readonly shards: readonly ShardFigures[];
  readonly fsyncs: number;
  readonly entries: number;
  readonly bytesWritten: number;
  readonly projector: { readonly lagMs: number };
  readonly seats: readonly { readonly id: string }[];
  readonly lanes: readonly {
    readonly name: string;
    readonly isPaused: boolean;
    readonly running: number;
  }[];
  readonly data: readonly ListedBooking[];
  readonly nextCursor: string | null;
}

interface ShardFigures {
  readonly projectionLagFacts: number;
  /** Events whose actors are in memory. */
  readonly actorCount: number;
}

/** A booking as the organiser's list shows it. */
export interface ListedBooking {
  readonly id: string;
  readonly status: string;
  /** Minor units, as prices are. */
  readonly total: { readonly amount: number };
  readonly tickets: readonly {
    readonly seat?: string;
    readonly area?: string;
    readonly price: number;
    readonly status: string;
  }[];
}

export type Availability = Pick<Reply, "capacity" | "free" | "held" | "sold" | "blocked">;

/** A request of the bench's own that was not answered as it has to be. */
export class BenchRequestFailed extends Error {
  readonly code = "bench_request_failed";
  /** Of the answer. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** What is on sale: a plan of `seats` or an arena, or a floor of `places`. */
export interface Sold {
  readonly title: string;
  readonly seats?: number;
  readonly arena?: Arena;
  readonly places?: number;
  readonly holdTtlSeconds?: number;
}

/** Access tokens, and when to ask for the next ones, by `performance.now()`. */
export interface Tokens {
  readonly tokens: readonly string[];
  readonly renewAtMs: number;
}

/** What a bench asks for beside its load: things to sell, buyers, and how it came out. */
export class BenchApi {
  readonly #url: string;
  readonly #access: Access;
  /** Of the organiser; the next one comes long before its end. */
  #signedIn: Promise<Tokens> | null = null;
  #organizationId: Promise<string> | null = null;

  constructor(url: string, access: Access = { ...ADMIN, opsToken: OPS_TOKEN }) {
    this.#url = url;
    this.#access = access;
  }

  /** A published event with one standing area; returns its id. */
  openFloor(): Promise<string> {
    return this.openEvent({ title: "One hot floor", places: CAPACITY });
  }

  /** A published event; returns its id. */
  async openEvent({ title, seats, arena, places, holdTtlSeconds }: Sold): Promise<string> {
    const floor = { key: "floor", name: "Floor", capacity: places, priceCategory: "standing" };
    const names = arena?.hall.categoryNames ?? [];
    const keys = names.map((name) => [name, categoryKey(name)] as const);
    const event = {
      organizationId: await this.#ownOrganization(),
      title,
      startsAt: "2040-01-01T20:00:00Z",
      holdTtlSeconds: holdTtlSeconds ?? HOLD_TTL_SECONDS,
      // Few accounts stand for many buyers.
      limits: { perOrder: 10, perUser: PLACES_PER_USER_MAX },
      holdChurn: null,
      priceCategories: [["Standing", "standing"], ...keys].map(([name, key]) => {
        return { key, name, price: PRICE_MINOR };
      }),
      ...(seats === undefined
        ? {}
        : { seatingPlan: plainPlan(seats), seatCategories: { Seats: "standing" } }),
      ...(arena === undefined
        ? {}
        : { seatingPlan: arena.plan, seatCategories: Object.fromEntries(keys) }),
      ...(places === undefined ? {} : { areas: [floor] }),
      publish: true,
    };
    return (await this.#post("/api/v1/events", event, await this.#ownToken())).id;
  }

  /** Public ids of an event's seats, in the order of its list. */
  async seatIds(eventId: string): Promise<string[]> {
    const { seats } = await this.#get(`/api/v1/events/${eventId}/seats`);
    return seats.map(({ id }) => id);
  }

  /** Of new buyers; for a load that ends before they do. */
  async guestTokens(count: number): Promise<readonly string[]> {
    return (await this.guests(count)).tokens;
  }

  /** New buyers, and when it is time for others: a guest's token can't be renewed. */
  async guests(count: number): Promise<Tokens> {
    const tokens: string[] = [];
    let renewAtMs = Number.POSITIVE_INFINITY;
    while (tokens.length < count) {
      const guests = Math.min(GUESTS_AT_ONCE, count - tokens.length);
      const asked = Array.from({ length: guests }, () => this.#tokenBy("guest", {}));
      for (const guest of await Promise.all(asked)) {
        tokens.push(...guest.tokens);
        renewAtMs = Math.min(renewAtMs, guest.renewAtMs);
      }
    }
    return { tokens, renewAtMs };
  }

  /** Rejects with BenchRequestFailed: who this is meant to be is not let in. */
  async signIn(): Promise<void> {
    await this.#ownToken();
  }

  /** Facts that PostgreSQL lacks, of the shard that lacks most. */
  async projectionLag(): Promise<number> {
    return Math.max(...(await this.shards()).map((shard) => shard.projectionLagFacts));
  }

  async shards(): Promise<readonly ShardFigures[]> {
    return (await this.#get("/ops/shards", await this.#opsToken())).shards;
  }

  /** The page for Prometheus. */
  async metrics(): Promise<string> {
    const response = await reach(`${this.#url}/metrics`);
    if (!response.ok) throw new BenchRequestFailed(`/metrics: ${response.status}`, response.status);
    return response.text();
  }

  /** Resolves when PostgreSQL has everything; false: not within so many seconds. */
  async isProjectedWithin(seconds: number): Promise<boolean> {
    const startMs = performance.now();
    while ((await this.projectionLag()) > 0) {
      if (performance.now() - startMs > seconds * 1_000) return false;
      await delay(PROJECTED_LOOK_MS);
    }
    return true;
  }

  async audit(eventId: string): Promise<Pick<Reply, "ok" | "drift">> {
    return this.#get(`/ops/events/${eventId}/audit`, await this.#opsToken());
  }

  async journal(): Promise<Pick<Reply, "fsyncs" | "entries" | "bytesWritten" | "projector">> {
    return this.#get("/ops/journal", await this.#opsToken());
  }

  /** With the status of each seat. */
  async shown(eventId: string): Promise<ShownState> {
    return this.#get(`/api/v1/events/${eventId}/availability?seats=true`);
  }

  availability(eventId: string): Promise<Availability> {
    return this.#get(`/api/v1/events/${eventId}/availability`);
  }

  /** All bookings of an event, as its organiser sees them. */
  async *bookingsOf(eventId: string): AsyncGenerator<ListedBooking> {
    let cursor: string | null = "";
    while (cursor !== null) {
      const after = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const path = `/api/v1/events/${eventId}/bookings?limit=${PAGE_ENTRIES_MAX}${after}`;
      const page: Reply = await this.#get(path, await this.#ownToken());
      yield* page.data;
      cursor = page.nextCursor;
    }
  }

  pauseLane(lane: string): Promise<void> {
    return this.#setLane(lane, "pause");
  }

  resumeLane(lane: string): Promise<void> {
    return this.#setLane(lane, "resume");
  }

  /** It is paused, and nothing runs in it. */
  async isLaneStill(lane: string): Promise<boolean> {
    const { lanes } = await this.#get("/ops/lanes", await this.#opsToken());
    const found = lanes.find(({ name }) => name === lane);
    return found?.isPaused === true && found.running === 0;
  }

  /** So many people book one place each, all under one guest, each for an address of their own. */
  async gatherAudience(people: number, progress: (count: number) => void): Promise<void> {
    const eventId = await this.openFloor();
    const [token = ""] = await this.guestTokens(1);
    const book = async (person: number): Promise<void> => {
      const items = [{ area: "floor", quantity: 1 }];
      const { id } = await this.#post(`/api/v1/events/${eventId}/holds`, { items }, token);
      const email = `person-${person}@example.org`;
      const booking = { holdId: id, payment: { provider: "none" }, email };
      await this.#post(`/api/v1/events/${eventId}/bookings`, booking, token);
      if (person % AUDIENCE_TOLD_EVERY === 0) progress(person);
    };
    let next = 0;
    const comeIn = async (): Promise<void> => {
      for (let own = next++; own < people; own = next++) await book(own);
    };
    await Promise.all(Array.from({ length: GUESTS_AT_ONCE }, comeIn));
  }

  /** To everybody who has booked, at once. */
  async sendCampaign(): Promise<void> {
    const [organizationId, token] = [await this.#ownOrganization(), await this.#ownToken()];
    const path = `/api/v1/organizations/${organizationId}/campaigns`;
    const { id } = await this.#post(path, CAMPAIGN, token);
    await this.#post(`${path}/${id}/schedule`, {}, token);
  }

  async #setLane(lane: string, word: "pause" | "resume"): Promise<void> {
    const headers = { authorization: `Bearer ${await this.#opsToken()}` };
    const init = { method: "POST", headers };
    const { ok, status } = await reach(`${this.#url}/ops/lanes/${lane}/${word}`, init);
    if (!ok) throw new BenchRequestFailed(`${word} ${lane}: ${status}`, status);
  }

  async #ownToken(): Promise<string> {
    this.#signedIn ??= this.#logIn();
    const known = this.#signedIn;
    let { tokens, renewAtMs } = await known;
    if (performance.now() >= renewAtMs) {
      // Whoever sees it first asks for all.
      if (this.#signedIn === known) this.#signedIn = this.#logIn();
      ({ tokens, renewAtMs } = await this.#signedIn);
    }
    return tokens[0] ?? "";
  }

  #logIn(): Promise<Tokens> {
    const { email, password } = this.#access;
    return this.#tokenBy("login", { email, password });
  }

  #tokenBy(way: "login" | "guest", body: object): Promise<Tokens> {
    return patiently(async () => {
      const askedMs = performance.now();
      const { accessToken, expiresIn } = await this.#post(`/api/v1/auth/${way}`, body);
      const usedMs = expiresIn * TOKEN_USED_SHARE * 1_000;
      return { tokens: [accessToken], renewAtMs: askedMs + usedMs };
    });
  }

  #opsToken(): Promise<string> {
    const { opsToken } = this.#access;
    return opsToken === null ? this.#ownToken() : Promise.resolve(opsToken);
  }

  #ownOrganization(): Promise<string> {
    this.#organizationId ??= this.#ownToken()
      .then((token) =>
        this.#post("/api/v1/organizations", { name: "Bench", allowInvoices: true }, token),
      )
      .then(({ id }) => id);
    return this.#organizationId;
  }

  #get(path: string, token = ""): Promise<Reply> {
    const headers = token === "" ? {} : { authorization: `Bearer ${token}` };
    return patiently(() => this.#request(path, { headers }));
  }

  #post(path: string, body: object, token = ""): Promise<Reply> {
    const authorization = token === "" ? {} : { authorization: `Bearer ${token}` };
    const headers = { "content-type": "application/json", ...authorization };
    return this.#request(path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  async #request(path: string, init: RequestInit): Promise<Reply> {
    const response = await reach(this.#url + path, init);
    const text = await response.text();
    if (!response.ok) {
      const shown = text.slice(0, SHOWN_CHARS_MAX);
      throw new BenchRequestFailed(`${path}: ${response.status} ${shown}`, response.status);
    }
    return JSON.parse(text) as Reply;
  }
}

/** `busy` asks to come again: somebody who wants to know does. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      const isBusy = error instanceof BenchRequestFailed && error.status === BUSY;
      if (!isBusy || tries === BUSY_TRIES_MAX) throw error;
      await delay(BUSY_PAUSE_MS);
    }
  }
}
