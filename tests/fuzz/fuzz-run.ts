/**
 * Asks a real node everything that its document describes, with values that fit, that nearly fit,
 * and that nobody in their right mind would send. A finding is a sentence; there should be none.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Random } from "../../engine/testing/random.ts";
import type { JsonObject } from "../../gateway/openapi/json.ts";
import { ApiClient, type Reply } from "../support/client.ts";
import { TestNode } from "../support/server.ts";
import { auditOf } from "../support/venue.ts";
import {
  type FuzzRequest,
  HttpRequests,
  type KnownOperation,
  type Mood,
  operationsOf,
} from "./http-requests.ts";
import { LiveFuzz } from "./live-fuzz.ts";
import { RAW_REQUESTS } from "./raw-requests.ts";
import { Scene } from "./scene.ts";
import { WEBHOOK_SECRET } from "./signed-webhook.ts";

export interface FuzzOptions {
  readonly seed: number;
  /** How many requests; an eighth as many messages are said over WebSockets besides. */
  readonly requests: number;
  /** At once. */
  readonly lanes: number;
}

export interface FuzzReport {
  readonly findings: readonly string[];
  /** By operation, and by "ws" and op: how often which status was heard. */
  readonly heard: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** Longer than any answer may take: the slowest is a crowd that waits for its passwords' hashes. */
const ANSWER_MS_MAX = 30_000;
const FINDINGS_MAX = 20;
/** Of an operation that was never accepted, at the end. */
const TRIES_MAX = 12;
/** So often there is a new event, and the node is asked whether it is well. */
const REFRESH_EVERY = 150;
/** Statuses that are documented, and still nothing that a request may cause here. */
const NEVER: ReadonlySet<number> = new Set([500, 502]);
const HUNG_UP = /socket hang up|ECONNRESET|EPIPE/;
/** What a provider that contradicts itself is logged as: the sandbox says what it is told to. */
const FOR_THE_OPERATOR =
  /a payment (?:was reported with a second|is not what was asked)|that is more than was paid/;
const MOODS: readonly Mood[] = ["valid", "valid", "nearly", "nearly", "hostile"];

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const node = await TestNode.start({ SANDBOX_WEBHOOK_SECRET: WEBHOOK_SECRET });
  const run = new FuzzRun(node, options);
  try {
    await run.all();
    return run.report;
  } finally {
    run.close();
    await node.remove();
  }
}

class FuzzRun {
  readonly #node: TestNode;
  readonly #api: ApiClient;
  readonly #options: FuzzOptions;
  readonly #findings: string[] = [];
  readonly #heard = new Map<string, Map<string, number>>();
  #asked = 0;

  constructor(node: TestNode, options: FuzzOptions) {
    this.#node = node;
    this.#options = options;
    this.#api = new ApiClient(() => node.url);
  }

  get report(): FuzzReport {
    return { findings: this.#findings, heard: this.#heard };
  }

  close(): void {
    this.#api.close();
  }

  async all(): Promise<void> {
    const { seed, lanes } = this.#options;
    const document = (await this.#api.get<JsonObject>("/openapi.json")).body;
    const scene = new Scene(this.#api, new Random(seed));
    await scene.set();
    const operations = operationsOf(document);
    const work = Array.from({ length: lanes }, (_, lane) =>
      this.#lane({ document, scene, operations, random: new Random(seed + 7919 * (lane + 1)) }),
    );
    await Promise.all(work);
    const requests = new HttpRequests(document, new Random(seed + 1), scene);
    for (const operation of operations) await this.#askUntilAccepted(operation, requests, scene);
    await this.#verdict(scene);
  }

  /** What has been refused all along: by now most of what it may be about is there. */
  async #askUntilAccepted(
    operation: KnownOperation,
    requests: HttpRequests,
    scene: Scene,
  ): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX && !this.#isAccepted(operation); tries += 1) {
      await this.#ask(await requests.make(operation, "valid"), scene);
    }
  }

  #isAccepted({ id }: KnownOperation): boolean {
    return [...(this.#heard.get(id)?.keys() ?? [])].some((status) => status.startsWith("2"));
  }

  async #lane({ document, scene, operations, random }: Lane): Promise<void> {
    const requests = new HttpRequests(document, random, scene);
    const url = (): string => this.#node.url;
    const live = new LiveFuzz({ url, document, requests, random, scene });
    let order: KnownOperation[] = [];
    while (this.#asked < this.#options.requests && this.#findings.length < FINDINGS_MAX) {
      this.#asked += 1;
      if (this.#asked % REFRESH_EVERY === 0) await this.#refresh(scene);
      // Each operation in turn, in an order of its own each time.
      if (order.length === 0) order = shuffled(operations.flatMap(oftenEnough), random);
      const operation = order.pop();
      if (operation === undefined) break;
      const request = await requests.make(operation, random.pick(MOODS));
      await this.#ask(request, scene);
      if (random.next() < 0.125) await this.#say(live);
      if (random.next() < 0.02) await this.#sendRaw(random.pick(RAW_REQUESTS));
    }
    live.close();
  }

  async #refresh(scene: Scene): Promise<void> {
    await scene.refresh();
    const { status } = await this.#api.get("/health/live");
    if (status !== 200) this.#find(`/health/live answers ${status}`);
  }

  async #ask(request: FuzzRequest, scene: Scene): Promise<void> {
    const { operation, method, path, headers, raw, token } = request;
    const ask = {
      headers: token === "" ? headers : { Authorization: `Bearer ${token}`, ...headers },
      ...(raw === undefined ? {} : { raw }),
    };
    try {
      const again = () => this.#api.request<unknown>(method, path, ask);
      // A kept socket may have been closed while this process slept: once more on another.
      const asked = again().catch((error: unknown) => {
        if (HUNG_UP.test(String(error))) return again();
        throw error;
      });
      const reply = await inTime(asked);
      if (reply === "late") return this.#find(`no answer to ${shown(request)}`);
      this.#note(operation.id, String(reply.status));
      if (NEVER.has(reply.status)) this.#find(`${reply.text} to ${shown(request)}`);
      if (reply.status < 300) scene.learn(operation.id, bodyOf(reply), { token });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#find(`${reason}, to ${shown(request)}`);
    }
  }

  async #say(live: LiveFuzz): Promise<void> {
    let said = "";
    try {
      const outcome = await inTime(live.say((text) => (said = text)));
      if (outcome === "late") return this.#find(`no answer over the WebSocket to ${said}`);
      this.#note(`ws ${outcome.op}`, outcome.status);
      if (outcome.status === "500") this.#find(`500 over the WebSocket to ${said}`);
      if (said.length > 0 && outcome.status === "sent") return;
      if ((await inTime(live.check())) === "late") this.#find(`silence after ${said}`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // Cut off for what it said; it comes back with the next message.
      if (!/^closed before/.test(reason)) this.#find(`${reason}, over the WebSocket, to ${said}`);
    }
  }

  /** Bytes that are no request; what is answered does not matter, that it goes on does. */
  async #sendRaw(bytes: string): Promise<void> {
    if ((await inTime(this.#api.sendRaw(bytes))) === "late") {
      this.#find(`a connection hangs after ${JSON.stringify(bytes).slice(0, 200)}`);
    }
  }

  async #verdict(scene: Scene): Promise<void> {
    const { errors, isUp } = this.#node;
    if (!isUp) this.#find("the node has ended");
    const unexpected = errors.filter((line) => !FOR_THE_OPERATOR.test(line));
    for (const line of unexpected.slice(0, 5)) this.#find(`logged: ${line.slice(0, 2_000)}`);
    if (!isUp) return;
    const ready = await this.#api.get<{ status: string }>("/health/ready");
    if (ready.status !== 200) this.#find(`/health/ready answers ${ready.text}`);
    for (const { id } of scene.events.slice(-10)) {
      const event = await this.#api.get<{ status: string }>(`/api/v1/events/${id}`);
      if (event.body.status !== "published") continue;
      const { ok, drift } = await auditOf(this.#api, id);
      if (!ok) this.#find(`the audit of ${id} finds ${drift.join("; ")}`);
    }
    const polluted: unknown = Reflect.get({}, "polluted");
    if (polluted !== undefined) this.#find("Object.prototype was written to");
  }

  #note(what: string, status: string): void {
    const statuses = this.#heard.get(what) ?? new Map<string, number>();
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    this.#heard.set(what, statuses);
  }

  #find(finding: string): void {
    this.#findings.push(finding);
  }
}

interface Lane {
  readonly document: JsonObject;
  readonly scene: Scene;
  readonly operations: readonly KnownOperation[];
  readonly random: Random;
}

async function inTime<T>(work: Promise<T>): Promise<T | "late"> {
  const ended = new AbortController();
  const late = delay(ANSWER_MS_MAX, "late" as const, { signal: ended.signal });
  // Aborting it is how it ends when the work is done in time.
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    ended.abort();
  }
}

function bodyOf({ body }: Reply<unknown>): unknown {
  return body;
}

/** Much else needs a hold or a booking to be about. */
const OFTEN: Readonly<Record<string, number>> = { holdPlaces: 8, book: 6, createEvent: 2 };

function oftenEnough(operation: KnownOperation): KnownOperation[] {
  return Array.from({ length: OFTEN[operation.id] ?? 1 }, () => operation);
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function shown({ operation, method, path, headers, raw }: FuzzRequest): string {
  const body = raw === undefined ? "" : ` with ${JSON.stringify(String(raw).slice(0, 1_500))}`;
  const asked = `${method} ${path.slice(0, 500)} ${JSON.stringify(headers).slice(0, 500)}`;
  return `${operation.id}: ${asked}${body}`;
}
