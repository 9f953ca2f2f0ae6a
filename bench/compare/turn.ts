import { parseUserId } from "../../engine/ids.ts";
import { Tokens } from "../../gateway/identity/tokens.ts";
import { BenchApi, CAPACITY } from "../bench-api.ts";
import { type BenchServer, startBenchServer } from "../bench-server.ts";
import type { FlowOptions } from "../load/flows/flow-options.ts";
import { plainSale } from "../load/flows/plain-sale.ts";
import type { SaleFlowOptions } from "../load/flows/sale-ground.ts";
import { runHttpLoad, SETTLE_SECONDS } from "../load/http-load.ts";
import type { HttpLoadResult } from "../load/http-load-messages.ts";
import { secondly } from "../measured-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import type { Check, Costs } from "../report/report.ts";
import type { Progress } from "../scenario.ts";
import type { Measured, Phase } from "./comparison.ts";
import { CEILING, type Contender } from "./contenders.ts";
import { type CostlyServer, costing } from "./costs.ts";

export interface TurnOptions {
  readonly contender: Contender;
  readonly round: number;
  readonly connections: number;
  /** Of each phase. */
  readonly seconds: number;
  /** Named seats that the sales are of; null: places of an area. */
  readonly seats: number | null;
  readonly seed: number;
}

export interface Turn {
  readonly measured: readonly Measured[];
  readonly checks: readonly Check[];
}

/** Of the time of one phase; so long the server's code gets faster at it. */
const WARM_UP_SHARE = 0.6;
const WARM_UP_SECONDS_MAX = 5;
const BUYERS = 64;
const HOLD_TTL_SECONDS = 86_400;
const PROJECTED_SECONDS_MAX = 60;
/** How late buyers see that a seat was taken. */
const LAG_MS = 200;

/**
 * One server, from its start to its end: warmed up for each phase, loaded, and looked at by the
 * oracle. Holds come first: what follows a sale for long (mails, tickets) is no part of them.
 */
export async function takeTurn(options: TurnOptions, progress: Progress): Promise<Turn> {
  const { contender } = options;
  const tell: Progress = (line) =>
    progress(`round ${options.round + 1}, ${contender.name}: ${line}`);
  tell("starting");
  const server = await startBenchServer(contender.server);
  try {
    if (contender.name === CEILING) return await echoTurn(server, options, tell);
    const tasks = new Task(await sellingServer(server), options, tell);
    const holds = await tasks.holds();
    const sales = await tasks.sales();
    return {
      measured: [...holds.measured, ...sales.measured],
      checks: [...holds.checks, ...sales.checks],
    };
  } finally {
    tell("stopping");
    await server.stop();
  }
}

/** The same requests, to a server that knows neither events nor tokens and keeps nothing. */
async function echoTurn(
  { url, pid }: BenchServer,
  options: TurnOptions,
  progress: Progress,
): Promise<Turn> {
  const { connections, seconds } = options;
  const flow = {
    kind: "hold",
    eventId: "018f3c9a-7b10-7000-8000-0007a4b1c2d3",
    area: "floor",
    capacity: Number.MAX_SAFE_INTEGER,
    tokens: madeUpTokens(),
  } as const;
  progress("warming up");
  await runHttpLoad({ url, flow, connections, seconds: warmUpSeconds(seconds) });
  const load = { url, flow, connections, settleSeconds: SETTLE_SECONDS, seconds };
  const loaded = await costing({ pid, api: null, databaseUrl: null }, () =>
    runHttpLoad({ ...load, progress: secondly(progress) }),
  );
  const answered = loaded.result.streams[0]?.statuses ?? {};
  const others = Object.entries(answered).filter(([status]) => status !== "201");
  const check = {
    name: checkName(options, "holds"),
    ok: others.length === 0 && (answered[201] ?? 0) > 0,
    detail: `answers: ${JSON.stringify(answered)}; it keeps nothing, so there is no more to check`,
  };
  return { ...measuredOf(options, "holds", loaded), checks: [check] };
}

/** As long as true ones: the same bytes go over the wire. */
function madeUpTokens(): string[] {
  const tokens = new Tokens("of nobody who is known anywhere, and good for nothing");
  const userId = parseUserId("018f3c9a-7b10-7000-8000-00000000a11c");
  if (userId === null) throw new Error("the user's id is one");
  return Array.from({ length: BUYERS }, (_, n) => {
    return tokens.issue({ userId, role: "guest" }, `018f3c9a-7b10-7000-8000-${n}`).accessToken;
  });
}

interface SellingServer extends CostlyServer {
  readonly url: string;
  readonly api: BenchApi;
}

async function sellingServer({ url, pid, databaseUrl }: BenchServer): Promise<SellingServer> {
  return { url, pid, api: new BenchApi(url), databaseUrl: await databaseUrl() };
}

interface Loaded {
  readonly result: HttpLoadResult;
  readonly taken: Omit<Costs, "count">;
}

/** What is asked of a server that sells. */
class Task {
  readonly #server: SellingServer;
  readonly #options: TurnOptions;
  readonly #progress: Progress;
  readonly #api: BenchApi;
  #tokens: Promise<readonly string[]> | null = null;

  constructor(server: SellingServer, options: TurnOptions, progress: Progress) {
    this.#server = server;
    this.#options = options;
    this.#progress = progress;
    this.#api = server.api;
  }

  async holds(): Promise<Turn> {
    await this.#warmUp(await this.#holdFlow());
    const flow = await this.#holdFlow();
    const loaded = await this.#load(flow);
    const { eventId, capacity } = flow;
    return this.#judged("holds", loaded, { eventId, capacity, seatIds: null });
  }

  async sales(): Promise<Turn> {
    const { seats } = this.#options;
    await this.#warmUp(await this.#saleFlow("Warm-up", seats));
    const flow = await this.#saleFlow("The sale", seats);
    const loaded = await this.#load(flow);
    const [event] = flow.events;
    if (event === undefined) throw new Error("an event is sold");
    return this.#judged("sales", loaded, event);
  }

  /** On an event that nobody counts. */
  async #warmUp(flow: FlowOptions): Promise<void> {
    this.#progress("warming up");
    const { connections, seconds } = this.#options;
    const { url } = this.#server;
    await runHttpLoad({ url, flow, connections, seconds: warmUpSeconds(seconds) });
  }

  async #holdFlow() {
    const eventId = await this.#api.openFloor();
    const tokens = await this.#buyers();
    return { kind: "hold", eventId, area: "floor", capacity: CAPACITY, tokens } as const;
  }

  async #saleFlow(title: string, seats: number | null): Promise<SaleFlowOptions> {
    const capacity = seats ?? CAPACITY;
    const eventId = await this.#api.openEvent({
      title,
      holdTtlSeconds: HOLD_TTL_SECONDS,
      ...(seats === null ? { places: capacity } : { seats }),
    });
    const seatIds = seats === null ? null : await this.#api.seatIds(eventId);
    const area = seats === null ? "floor" : null;
    return plainSale(
      { eventId, seatIds, area, capacity },
      {
        tokens: await this.#buyers(),
        lagMs: LAG_MS,
        holdTtlSeconds: HOLD_TTL_SECONDS,
        seed: this.#options.seed,
      },
    );
  }

  #buyers(): Promise<readonly string[]> {
    this.#tokens ??= this.#api.guestTokens(BUYERS);
    return this.#tokens;
  }

  /** What was put off until after the load is counted as well. */
  #load(flow: FlowOptions): Promise<Loaded> {
    const { connections, seconds } = this.#options;
    const { url, api } = this.#server;
    const progress = secondly(this.#progress);
    const load = { url, flow, connections, settleSeconds: SETTLE_SECONDS, seconds, progress };
    return costing(this.#server, async () => {
      const result = await runHttpLoad(load);
      await api.isProjectedWithin(PROJECTED_SECONDS_MAX);
      return result;
    });
  }

  async #judged(
    phase: Phase,
    loaded: Loaded,
    event: Parameters<typeof consultOracle>[0]["events"][number],
  ): Promise<Turn> {
    const given = {
      api: this.#api,
      events: [event],
      loads: [loaded.result.findings],
      holdTtlSeconds: null,
    };
    const checks = await consultOracle(given, this.#progress);
    const check = oneOf(checkName(this.#options, phase), checks);
    return { ...measuredOf(this.#options, phase, loaded), checks: [check] };
  }
}

const warmUpSeconds = (seconds: number): number =>
  Math.min(WARM_UP_SHARE * seconds, WARM_UP_SECONDS_MAX);

const checkName = ({ contender, round }: TurnOptions, phase: Phase): string =>
  `round ${round + 1}, ${contender.name}, ${phase}`;

/** Many checks as one: good when all are, and then it says how much was looked at. */
export function oneOf(name: string, checks: readonly Check[]): Check {
  const failed = checks.filter(({ ok }) => !ok);
  const shown = failed.length === 0 ? checks.slice(0, 1) : failed;
  const details = shown.map((check) => `${check.name}: ${check.detail}`).join("; ");
  const passed = `${checks.length - failed.length} of ${checks.length} checks hold`;
  return { name, ok: checks.length > 0 && failed.length === 0, detail: `${passed}; ${details}` };
}

function measuredOf(
  { contender, round }: TurnOptions,
  phase: Phase,
  { result, taken }: Loaded,
): Pick<Turn, "measured"> {
  const wanted = phase === "holds" ? "holds" : "bookings";
  const { streams, busyShare, succeeded } = result;
  const stream = streams.find(({ name }) => name === wanted);
  if (stream === undefined) throw new Error(`the load has no ${wanted}`);
  const { count, seconds } = stream;
  const rate = seconds === 0 ? 0 : count / seconds;
  const own = { contender: contender.name, round, phase, rate, stream };
  const costs = { ...taken, count: succeeded[wanted] ?? 0 };
  return { measured: [{ ...own, loadBusyShare: busyShare, costs }] };
}
