import type { Random } from "../../engine/testing/random.ts";
import type { Json, JsonObject } from "../../gateway/openapi/json.ts";
import { isObject, memberAt } from "../support/answer-contract.ts";
import { CONTENT_TYPES, hostileBody, hostileText, hostileValue, TOKENS } from "./hostile-values.ts";
import { PASSWORD, type Scene, type Thing } from "./scene.ts";
import { type Hints, SchemaValues } from "./schema-values.ts";
import { type SignedWebhook, signedWebhook } from "./signed-webhook.ts";

export interface KnownOperation {
  readonly id: string;
  readonly method: string;
  /** With {name} for parameters. */
  readonly template: string;
  readonly described: JsonObject;
}

export interface FuzzRequest {
  readonly operation: KnownOperation;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: string | Buffer | undefined;
  /** "": nobody's. */
  readonly token: string;
}

/** How much is wrong with a request. */
export type Mood = "valid" | "nearly" | "hostile";

export function operationsOf(document: JsonObject): KnownOperation[] {
  const paths = isObject(document.paths) ? document.paths : {};
  return Object.entries(paths).flatMap(([template, item]) =>
    Object.entries(isObject(item) ? item : {}).map(([method, described]) => ({
      id: String(memberAt(described, "operationId")),
      method: method.toUpperCase(),
      template,
      described: isObject(described) ? described : {},
    })),
  );
}

/** What a request is about, chosen so that its parts fit each other. */
export interface Subject {
  readonly event: Thing | null;
  readonly hold: Thing | null;
  readonly booking: Thing | null;
  readonly token: string;
}

const PROVIDERS = ["sandbox", "stripe"];
const ABOUT_HOLDS = /^(?:getHold|changeHold|releaseHold|extendHold|book)$/;
const ABOUT_BOOKINGS = /Booking$|^getBookingHistory$|^moveTicket$|^checkIn$/;
/** Whoever makes these is somebody else afterwards. */
export const ENDS_SOMEBODY = /^(?:deleteMe|logout|changeMe)$/;

export class HttpRequests {
  readonly #random: Random;
  readonly #scene: Scene;
  readonly values: SchemaValues;

  constructor(document: JsonObject, random: Random, scene: Scene) {
    this.#random = random;
    this.#scene = scene;
    this.values = new SchemaValues(document, random);
  }

  async make(operation: KnownOperation, mood: Mood): Promise<FuzzRequest> {
    const subject = await this.#subjectOf(operation);
    const hints = this.hintsOf(subject);
    const { method } = operation;
    const isStray = mood === "hostile" && this.#chance(0.06);
    const webhook = operation.id === "receiveWebhook" ? this.#webhook(mood) : null;
    const raw = webhook?.raw ?? this.#bodyOf(operation, mood, hints);
    const type = mood !== "valid" && this.#chance(0.08) ? this.#random.pick(CONTENT_TYPES) : null;
    return {
      operation,
      method: isStray ? this.#random.pick(["PUT", "OPTIONS", "HEAD", "PATCH", "TRACE"]) : method,
      path: this.#pathOf(operation, mood, subject) + this.#queryOf(operation, mood),
      headers: {
        ...this.#headersOf(operation, mood),
        ...webhook?.headers,
        ...(type === null ? {} : { "Content-Type": type }),
      },
      raw,
      token: mood !== "valid" && this.#chance(0.1) ? this.#random.pick(TOKENS) : subject.token,
    };
  }

  /** One in three is not signed. */
  #webhook(mood: Mood): SignedWebhook | null {
    if (this.#chance(0.3)) return null;
    const intentId = this.#scene.any("intent")?.id ?? "none";
    return signedWebhook(this.#random, intentId, (message) =>
      mood === "valid" ? message : this.values.nearlyValid(message),
    );
  }

  async #subjectOf({ id, described }: KnownOperation): Promise<Subject> {
    const scene = this.#scene;
    const hold = scene.any("hold");
    const booking = scene.any("booking");
    const thing = ABOUT_HOLDS.test(id) ? hold : ABOUT_BOOKINGS.test(id) ? booking : null;
    const isOperator = JSON.stringify(described.security ?? []).includes("opsToken");
    const others = this.#random.pick(scene.tokens);
    const own = thing !== null && id !== "checkIn" && this.#chance(0.8) ? thing.token : others;
    const token = isOperator && this.#chance(0.8) ? scene.operatorToken() : own;
    const eventId = thing?.eventId;
    const known = scene.events.find((event) => event.id === eventId) ?? null;
    // What is cancelled sells no more: the oldest go first.
    const oldest = id === "cancelEvent" && scene.events.length > 3 ? scene.events[0] : undefined;
    const event = known ?? oldest ?? scene.any("event");
    const isEnd = ENDS_SOMEBODY.test(id);
    return { event, hold, booking, token: isEnd ? await this.#somebodyElse() : token };
  }

  /** Guests are cheaper to make than accounts. */
  #somebodyElse(): Promise<string> {
    return this.#chance(0.3) ? this.#scene.register() : this.#scene.guest();
  }

  hintsOf({ event, hold, booking }: Subject): Hints {
    const scene = this.#scene;
    const pick = <Item>(items: readonly Item[]): Item | null =>
      items.length === 0 ? null : this.#random.pick(items);
    const known: Readonly<Record<string, () => unknown>> = {
      organizationId: () => scene.organizationId,
      eventId: () => event?.id ?? null,
      holdId: () => hold?.id ?? null,
      bookingId: () => booking?.id ?? null,
      ticketId: () => pick(booking?.parts ?? []),
      ticketIds: () => booking?.parts.slice(0, 1 + this.#random.below(2)) ?? null,
      remove: () => hold?.parts.slice(0, 1) ?? null,
      ticketCode: () => pick(booking?.codes ?? []),
      seat: () => `A-${1 + this.#random.below(10)}`,
      block: () => [`A-${1 + this.#random.below(10)}`],
      unblock: () => [`A-${1 + this.#random.below(10)}`],
      seats: () => [`A-${1 + this.#random.below(10)}`],
      area: () => "floor",
      category: () => this.#random.pick(["stalls", "balcony", "standing", "music"]),
      priceCategory: () => this.#random.pick(["stalls", "standing"]),
      categories: () => ["stalls"],
      zone: () => "Hall",
      items: () => this.#items(),
      add: () => [{ seat: `A-${1 + this.#random.below(10)}` }],
      quantity: () => 1 + this.#random.below(3),
      provider: () => this.#random.pick(["none", "none", "sandbox", "stripe"]),
      email: () => pick(this.#chance(0.4) ? scene.emails : []) ?? this.#freshEmail(),
      password: () => PASSWORD,
      currentPassword: () => PASSWORD,
      refreshToken: () => scene.refreshToken,
      promoCode: () => this.#random.pick(["EARLY", "early", "NONE"]),
      seatingPlan: () => PLAN,
      key: () => this.#random.pick(["stalls", "floor", "standing", "press"]),
      timezone: () => "Europe/Berlin",
      op: () => null,
    };
    return (name) => (Object.hasOwn(known, name) ? (known[name]?.() ?? null) : null);
  }

  #freshEmail(): string {
    return `fuzz${this.#random.below(2 ** 31)}@example.org`;
  }

  /** What can be held: nearly always one thing. */
  #items(): unknown {
    const seat = `A-${1 + this.#random.below(10)}`;
    return this.#random.pick([
      [{ seat }],
      [{ area: "floor", quantity: 1 + this.#random.below(3) }],
      [{ bestAvailable: { quantity: 1 + this.#random.below(2) } }],
      [{ seat }, { area: "floor", quantity: 1 }],
      null,
    ]);
  }

  #pathOf({ template }: KnownOperation, mood: Mood, subject: Subject): string {
    const path = template.replace(/([^/]*)\/\{(\w+)\}/g, (_, before: string, name: string) => {
      const isWrong = mood === "hostile" && this.#chance(0.25);
      const value = isWrong ? this.#wrongSegment() : this.#segment(before, name, subject);
      return `${before}/${value}`;
    });
    if (mood !== "hostile" || this.#chance(0.95)) return path;
    return this.#random.pick([
      `${path}/`,
      `/${path}`,
      `${path}//x`,
      path.toUpperCase(),
      `${path};a`,
    ]);
  }

  #segment(before: string, name: string, { event, hold, booking }: Subject): string {
    const scene = this.#scene;
    const ids: Readonly<Record<string, string | undefined>> = {
      events: event?.id,
      holds: hold?.id,
      bookings: booking?.id,
      organizations: scene.organizationId,
      members: scene.any("user")?.id,
      tickets: booking?.parts[0],
      sandbox: scene.any("intent")?.id,
      webhooks: name === "webhookId" ? scene.any("webhook")?.id : this.#random.pick(PROVIDERS),
      campaigns: scene.any("campaign")?.id,
      "push-subscriptions": scene.any("subscription")?.id,
      venues: scene.any("venue")?.id,
      "seating-plans": scene.any("seatingPlan")?.id,
      "ticket-keys": scene.any("ticketKey")?.id,
      invitations: scene.any("invitation")?.id,
      suppressions: scene.any("suppression")?.id,
      "dead-letters": scene.any("deadLetter")?.id,
      "mail-templates": this.#random.pick(["reminder", "confirmation"]),
      lanes: this.#random.pick(["urgent", "marketing"]),
      shards: String(this.#random.below(18)),
      docs: this.#random.pick(["page.js", "page.css", "swagger-ui.css"]),
    };
    return encodeURIComponent(ids[before] ?? `${name}-unknown`);
  }

  #wrongSegment(): string {
    const broken = [
      "%",
      "%zz",
      "%ff",
      "%00",
      "%2e%2e",
      "..",
      "%2F",
      "a%2fb",
      "%E0%A4%A",
      "*",
      ":id",
    ];
    if (this.#chance(0.5)) return this.#random.pick(broken);
    const text = wellFormed(hostileText(this.#random).slice(0, 2_000));
    return encodeURIComponent(text === "" ? "0" : text);
  }

  /** One parameter at most is wrong: what is wrong with one would hide what another does. */
  #queryOf({ described }: KnownOperation, mood: Mood): string {
    const parameters = Array.isArray(described.parameters) ? described.parameters : [];
    const known = parameters.filter((parameter: Json) => memberAt(parameter, "in") === "query");
    const wrong =
      mood !== "valid" && known.length > 0 && this.#chance(0.7) ? this.#random.pick(known) : null;
    const pairs = known.flatMap((parameter: Json) => {
      const name = String(memberAt(parameter, "name"));
      // A list's cursor is no other list's.
      const isLeftOut = this.#chance(name === "cursor" ? 0.9 : 0.7);
      if (parameter !== wrong && isLeftOut) return [];
      const value =
        parameter === wrong ? hostileText(this.#random) : this.#queryValue(name, parameter);
      return [
        `${encodeURIComponent(name)}=${encodeURIComponent(wellFormed(value.slice(0, 3_000)))}`,
      ];
    });
    if (mood === "hostile" && this.#chance(0.1)) {
      pairs.push(
        this.#random.pick(["__proto__=1", "limit=1&limit=x", "a[]=1", "%", "&&=&", "=%ff"]),
      );
    }
    return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  }

  #queryValue(name: string, parameter: Json): string {
    const cursor = this.#scene.any("cursor")?.id;
    if (name === "cursor" && cursor !== undefined) return cursor;
    return String(this.values.valid(memberAt(parameter, "schema"), () => null));
  }

  #bodyOf({ described }: KnownOperation, mood: Mood, hints: Hints): string | Buffer | undefined {
    const body = described.requestBody;
    if (body === undefined) {
      const isUninvited = mood === "hostile" && this.#chance(0.2);
      return isUninvited ? hostileBody(this.#random) : undefined;
    }
    if (memberAt(body, "required") === false && this.#chance(0.3)) return undefined;
    if (mood === "hostile" && this.#chance(0.4)) return hostileBody(this.#random);
    const media = memberAt(body, "content", "application/json");
    const value = this.#chance(0.1) ? hostileValue(this.#random) : this.#valueOf(media, hints);
    const sent = mood === "valid" ? this.#valueOf(media, hints) : this.values.nearlyValid(value);
    return JSON.stringify(mood === "nearly" && this.#chance(0.3) ? value : sent) ?? "null";
  }

  /** One of the document's examples, with what there really is, or one that is made up. */
  #valueOf(media: Json | undefined, hints: Hints): unknown {
    const examples = Object.values(memberAt(media, "examples") ?? {});
    if (examples.length === 0 || this.#chance(0.4)) {
      return this.values.valid(memberAt(media, "schema"), hints);
    }
    const example = memberAt(this.#random.pick(examples) as Json, "value");
    return isObject(example) ? withHints(example, hints) : example;
  }

  #headersOf({ described }: KnownOperation, mood: Mood): Record<string, string> {
    const takesKey = JSON.stringify(described.parameters ?? []).includes("IdempotencyKey");
    const headers: Record<string, string> = {};
    if (takesKey && this.#chance(0.3)) headers["Idempotency-Key"] = this.#key(mood);
    if (this.#chance(0.1))
      headers["X-Request-Id"] = this.#random.pick(["r-1", "x".repeat(129), "é"]);
    if (this.#chance(0.1)) headers["If-None-Match"] = this.#random.pick(["*", '"x"', 'W/"', ",,,"]);
    if (mood === "hostile" && this.#chance(0.1)) {
      headers.traceparent = this.#random.pick([
        "00-0-0-0",
        "x",
        `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      ]);
    }
    if (mood === "hostile" && this.#chance(0.05)) headers["X-Long"] = "x".repeat(3_000);
    return headers;
  }

  #key(mood: Mood): string {
    if (mood !== "valid" && this.#chance(0.3)) {
      return this.#random.pick([" ", "a b", "x".repeat(129), "ü", "x".repeat(3_000)]);
    }
    return `key-${this.#random.below(200)}`;
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }
}

/** Half characters can't be percent-encoded. */
const wellFormed = (text: string): string => Buffer.from(text).toString();

/** An example with what there really is in the place of what it makes up; deeper down, of ids. */
function withHints(example: JsonObject, hints: Hints, isInside = false): JsonObject {
  const members = Object.entries(example).map(([name, member]) => {
    const hint = isInside && !name.endsWith("Id") ? null : hints(name);
    return [name, hint ?? inside(member, hints)];
  });
  return Object.fromEntries(members);
}

const inside = (member: unknown, hints: Hints): unknown => {
  if (Array.isArray(member)) return member.map((item) => inside(item, hints));
  return isObject(member) ? withHints(member, hints, true) : member;
};

const PLAN = {
  name: "Small",
  categories: [{ name: "Stalls" }],
  zones: [
    {
      name: "Hall",
      rows: [{ row_number: "A", seats: [{ seat_guid: "A-1", category: "Stalls" }] }],
    },
  ],
};
