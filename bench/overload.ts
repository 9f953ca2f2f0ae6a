/**
 * What becomes of the sale when ten times as many buyers come as can be served:
 *
 *   npm run bench:overload              about two minutes
 *   npm run bench:overload -- 30        stretches of 30 seconds instead of 10
 *   npm run bench:overload -- 10 5      five times as many
 *
 * Stretches have 300 seconds at most: all are of the same buyers, whose access tokens end.
 *
 * A buyer holds a place and books it; goodput is bookings a second. First the maximum: buyers who
 * buy one place after another, over HTTP and then over WebSocket, of which the better one counts.
 * Then 10,000 buyers at once, a connection each, who try again when they are told `busy`: first
 * when `Retry-After` says so, then without any wait.
 *
 * Then ten times the maximum of buyers come every second, whatever becomes of those before them:
 * some over HTTP with a connection each, most over WebSockets on which nobody waits for anybody,
 * which is what lets one core offer so much. Who hears `busy` goes away. Then the load drops to
 * half of the maximum. Goodput counts PostgreSQL in: what it has not stored when a stretch ends is
 * waited for, and the wait counts.
 *
 * The result is checked: it ends with a verdict, and with exit code 1 when that is bad.
 */
import { cpus, totalmem } from "node:os";
import { BenchApi } from "./bench-api.ts";
import { startBenchServer } from "./bench-server.ts";
import { splitCores } from "./core-split.ts";
import { HttpDoor } from "./http-door.ts";
import { LiveDoor } from "./live-door.ts";
import { MachineShare } from "./machine-share.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { HTTP_FACTOR, type OverloadCommand, parseOverload } from "./overload-command.ts";
import { SaleLoad } from "./sale-load.ts";
import type { SaleTally } from "./sale-tally.ts";
import { UsageError } from "./scenario.ts";

const USAGE = 2;
const WARM_UP_SECONDS = 5;
const RECOVERY_SECONDS = 5;
/** The load drops from overload, not from quiet. */
const OVERLOAD_AGAIN_SECONDS = 3;
/** Of the overload. */
const ARRIVALS_CONNECTIONS = 2_048;
/** A crowd, and a connection for each of them. */
const CROWD = 10_000;
/** All 10,000 come in the same instant: that is another question. */
const SETTLE_SECONDS = 2;
const CROWDS = [
  ["crowd, patient", 1_000],
  ["crowd, impatient", 0],
] as const;
const SOCKETS = 64;
/** Buyers of the closed loop. */
const BUYERS = 256;
const ACCOUNTS = 64;
const NORMAL_SHARE = 0.5;

/** Where others take more than this, what was measured says little about the server. */
const OTHERS_SHARE_MAX = 0.1;
const GOODPUT_SHARE_MIN = 0.8;
const OFFERED_SHARE_MIN = 0.9;
const BUSY_MS_P99_MAX = 100;
const MEMORY_GROWTH_MIB_MAX = 256;
/** A second is as before when its p99 is at most this much above what it was before. */
const RECOVERED_MS_MORE_MAX = 20;

/** A stretch of load and what the server needed for it. */
interface Stretch {
  readonly tally: SaleTally;
  /** Until PostgreSQL had everything. */
  readonly catchUpSeconds: number;
  /** Sales a second, the catching up included. */
  readonly goodput: number;
  readonly memoryMiB: number;
}

class OverloadBench {
  readonly #api: BenchApi;
  readonly #load: SaleLoad;
  readonly #memory: MemoryWatch;
  readonly #machine: MachineShare;
  readonly #faults: string[] = [];
  #wasDisturbed = false;

  constructor(parts: {
    api: BenchApi;
    load: SaleLoad;
    memory: MemoryWatch;
    machine: MachineShare;
  }) {
    this.#api = parts.api;
    this.#load = parts.load;
    this.#memory = parts.memory;
    this.#machine = parts.machine;
  }

  get faults(): readonly string[] {
    return this.#faults;
  }

  get wasDisturbed(): boolean {
    return this.#wasDisturbed;
  }

  expect(what: string, holds: boolean): void {
    console.log(`${holds ? "ok    " : "FAILED"} ${what}`);
    if (!holds) this.#faults.push(what);
  }

  /** The load that `start` begins, for some seconds once it has settled, and then quiet. */
  async stretch(
    name: string,
    seconds: number,
    start: () => void,
    settleSeconds = 0,
  ): Promise<Stretch> {
    this.#memory.takePeakMiB();
    this.#machine.takeOthers();
    const loop = performance.eventLoopUtilization();
    start();
    if (settleSeconds > 0) await this.#load.measure(settleSeconds);
    const tally = await this.#load.measure(seconds);
    const others = this.#machine.takeOthers();
    const { utilization } = performance.eventLoopUtilization(loop);
    const memoryMiB = this.#memory.takePeakMiB();
    await this.#load.drained();
    const catchUpSeconds = await this.#caughtUp();
    const goodput = tally.sold / (tally.seconds + catchUpSeconds);
    const loadPercent = Math.round(utilization * 100);
    print(name, [
      `${rate(goodput)} sales/s (${rate(tally.salesPerSecond)} before PostgreSQL caught up, ` +
        `${catchUpSeconds.toFixed(1)} s)`,
      `offered ${rate(tally.sentPerSecond)} buyers/s of ${rate(tally.arrived / tally.seconds)} ` +
        `who came; the load's own core was busy to ${loadPercent} %`,
      ...latenciesOf(tally),
      `memory at most ${memoryMiB} MiB; others took ${percent(others)} of the machine`,
    ]);
    if (others !== null && others > OTHERS_SHARE_MAX) this.#wasDisturbed = true;
    this.#noteUnexpected(name, tally);
    return { tally, catchUpSeconds, goodput, memoryMiB };
  }

  /** Seconds under a load that has begun, one by one. */
  async seconds(name: string, count: number): Promise<SaleTally[]> {
    const tallies: SaleTally[] = [];
    for (let second = 1; second <= count; second += 1) {
      const tally = await this.#load.measure(1);
      tallies.push(tally);
      const holds = `hold p99 ${tally.holdMs.percentileMs(0.99).toFixed(1)} ms`;
      const busyMs = tally.busyMs.percentileMs(0.99).toFixed(1);
      const busy = `${tally.busyHolds + tally.busyBookings} busy (p99 ${busyMs} ms)`;
      const memory = `${this.#memory.nowMiB()} MiB`;
      print(`${name} ${second} s`, [
        `${rate(tally.salesPerSecond)} sales/s, ${holds}, ${busy}, ${memory}`,
      ]);
      this.#noteUnexpected(name, tally);
    }
    return tallies;
  }

  #noteUnexpected(name: string, { unexpected, withoutRetryAfter }: SaleTally): void {
    for (const [status, count] of unexpected) {
      this.expect(`${name}: ${count} answers of status ${status}`, false);
    }
    if (withoutRetryAfter > 0) {
      this.expect(`${name}: ${withoutRetryAfter} busy answers without Retry-After`, false);
    }
  }

  async #caughtUp(): Promise<number> {
    const startMs = performance.now();
    while ((await this.#api.projectionLag()) > 0) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return (performance.now() - startMs) / 1_000;
  }
}

function rate(perSecond: number): string {
  return String(Math.round(perSecond));
}

function percent(share: number | null): string {
  return share === null ? "an unknown share" : `${Math.round(share * 100)} %`;
}

function print(name: string, [first = "", ...more]: readonly string[]): void {
  console.log(`${name.padEnd(16)}${first}`);
  for (const line of more) console.log(`${"".padEnd(16)}${line}`);
}

function latenciesOf({ holdMs, bookingMs, busyMs, busyHolds, busyBookings }: SaleTally): string[] {
  const lines = [`hold ms    ${holdMs}`, `booking ms ${bookingMs}`];
  if (busyMs.count === 0) return lines;
  return [...lines, `busy ms    ${busyMs} (${busyHolds} holds, ${busyBookings} bookings)`];
}

interface Crowd {
  readonly name: string;
  readonly stretch: Stretch;
}

/** What all stretches together came to. */
interface Outcome {
  readonly factor: number;
  /** The better way's goodput. */
  readonly maximum: number;
  readonly maximumMiB: number;
  /** Buyers who try again, over HTTP, and what 256 of them get there. */
  readonly maximumHttp: number;
  readonly crowds: readonly Crowd[];
  readonly normal: Stretch;
  readonly overload: Stretch;
  /** Second by second, from the moment in which the load dropped. */
  readonly after: readonly SaleTally[];
}

async function measure(
  bench: OverloadBench,
  { load, http, live, crowd }: Shop,
  { seconds, factor }: { seconds: number; factor: number },
): Promise<Outcome> {
  await bench.stretch("warm-up", WARM_UP_SECONDS, () => load.setBuyers(http, BUYERS));
  const maxima = [
    await bench.stretch("maximum, HTTP", seconds, () => load.setBuyers(http, BUYERS)),
    await bench.stretch("maximum, live", seconds, () => load.setBuyers(live, BUYERS)),
  ];
  const crowds: Crowd[] = [];
  for (const [name, backOffMs] of CROWDS) {
    const come = (): void => load.setBuyers(crowd, CROWD, backOffMs);
    crowds.push({ name, stretch: await bench.stretch(name, seconds, come, SETTLE_SECONDS) });
  }
  const [maximumHttp = 0] = maxima.map(({ goodput }) => goodput);
  const maximum = Math.max(...maxima.map(({ goodput }) => goodput));
  const maximumMiB = Math.max(...maxima.map(({ memoryMiB }) => memoryMiB));
  const setNormal = (): void => {
    load.setArrivals(http, maximum * NORMAL_SHARE);
    load.setArrivals(live, 0);
  };
  const setOverload = (): void => {
    load.setArrivals(http, maximum * HTTP_FACTOR);
    load.setArrivals(live, maximum * (factor - HTTP_FACTOR));
  };
  const normal = await bench.stretch("half of it", RECOVERY_SECONDS, setNormal);
  const overload = await bench.stretch(`${factor} times`, seconds, setOverload);
  setOverload();
  await bench.seconds(`${factor} times`, OVERLOAD_AGAIN_SECONDS);
  setNormal();
  const after = await bench.seconds("half again", RECOVERY_SECONDS);
  await load.drained();
  return { factor, maximum, maximumMiB, maximumHttp, crowds, normal, overload, after };
}

function judgeCrowds(bench: OverloadBench, { crowds, maximumHttp, maximumMiB }: Outcome): void {
  for (const { name, stretch } of crowds) {
    const share = stretch.goodput / maximumHttp;
    bench.expect(
      `${name}: goodput ${rate(stretch.goodput)} sales/s is ${percent(share)} of what ` +
        `${BUYERS} buyers get over HTTP (at least ${percent(GOODPUT_SHARE_MIN)})`,
      share >= GOODPUT_SHARE_MIN,
    );
    const growthMiB = stretch.memoryMiB - maximumMiB;
    bench.expect(
      `${name}: memory was ${growthMiB} MiB above the maximum's ` +
        `(at most ${MEMORY_GROWTH_MIB_MAX})`,
      growthMiB <= MEMORY_GROWTH_MIB_MAX,
    );
  }
}

function judge(bench: OverloadBench, outcome: Outcome): void {
  const { factor, maximum, maximumMiB, normal, overload, after } = outcome;
  const { tally, goodput, memoryMiB } = overload;
  const offered = tally.sentPerSecond / maximum;
  bench.expect(
    `offered ${offered.toFixed(1)} times the maximum of ${rate(maximum)} sales/s`,
    offered >= factor * OFFERED_SHARE_MIN,
  );
  const share = goodput / maximum;
  bench.expect(
    `goodput ${rate(goodput)} sales/s is ${percent(share)} of the maximum ` +
      `(at least ${percent(GOODPUT_SHARE_MIN)})`,
    share >= GOODPUT_SHARE_MIN,
  );
  const busyMs = tally.busyMs.percentileMs(0.99);
  bench.expect(
    `99 % of the busy answers came within ${busyMs.toFixed(1)} ms (${BUSY_MS_P99_MAX} ms)`,
    busyMs <= BUSY_MS_P99_MAX,
  );
  const growthMiB = memoryMiB - maximumMiB;
  bench.expect(
    `memory was ${growthMiB} MiB above the maximum's (at most ${MEMORY_GROWTH_MIB_MAX})`,
    growthMiB <= MEMORY_GROWTH_MIB_MAX,
  );
  const beforeMs = normal.tally.holdMs.percentileMs(0.99);
  const recovered = after.findIndex(
    (second) =>
      second.salesPerSecond >= maximum * NORMAL_SHARE * GOODPUT_SHARE_MIN &&
      second.holdMs.percentileMs(0.99) <= beforeMs + RECOVERED_MS_MORE_MAX,
  );
  bench.expect(
    recovered === -1 ? "no second was as before" : `as before in second ${recovered + 1}`,
    recovered !== -1,
  );
}

/** Nothing that was acknowledged is lost, and nothing else is there. */
async function audit(bench: OverloadBench, { api, eventId, load }: Shop): Promise<void> {
  const { ok, drift } = await api.audit(eventId);
  bench.expect("memory and database agree", ok && drift.length === 0);
  const { held, sold } = await api.availability(eventId);
  const unbooked = load.held - load.sold;
  bench.expect(
    `sold ${sold}, acknowledged ${load.sold}; held ${held}, acknowledged ${unbooked}`,
    sold === load.sold && held === unbooked,
  );
}

/** An event that is on sale, and the doors through which buyers come. */
interface Shop {
  readonly api: BenchApi;
  readonly eventId: string;
  readonly http: HttpDoor;
  readonly live: LiveDoor;
  readonly crowd: HttpDoor;
  readonly load: SaleLoad;
}

async function openShop(url: string): Promise<Shop> {
  const api = new BenchApi(url);
  const eventId = await api.openFloor();
  const tokens = await api.guestTokens(ACCOUNTS);
  const http = new HttpDoor({ url, eventId, tokens, connections: ARRIVALS_CONNECTIONS });
  const live = await LiveDoor.open({ url, eventId, tokens, connections: SOCKETS });
  const crowd = new HttpDoor({ url, eventId, tokens, connections: CROWD });
  return { api, eventId, http, live, crowd, load: new SaleLoad([http, live, crowd]) };
}

async function run(seconds: number, factor: number): Promise<readonly string[]> {
  const { launcher, description } = splitCores();
  const server = await startBenchServer({ launcher });
  const memory = new MemoryWatch(server.pid);
  try {
    const [processor] = cpus();
    const memoryGiB = Math.round(totalmem() / 2 ** 30);
    print("machine", [`${cpus().length} × ${processor?.model}, ${memoryGiB} GiB`, description]);
    print("node", [process.version]);
    const startMiB = memory.nowMiB();
    const shop = await openShop(server.url);
    const machine = new MachineShare([process.pid, server.pid]);
    const bench = new OverloadBench({ api: shop.api, load: shop.load, memory, machine });
    const outcome = await measure(bench, shop, { seconds, factor });
    const { maximumMiB, overload } = outcome;
    const memories = [startMiB, maximumMiB, overload.memoryMiB, memory.nowMiB()];
    print("memory MiB", [`at the start, maximum, overload, end: ${memories.join(", ")}`]);
    judgeCrowds(bench, outcome);
    judge(bench, outcome);
    await audit(bench, shop);
    if (bench.wasDisturbed) console.log("note   the machine was not ours alone: try again later");
    shop.http.close();
    shop.crowd.close();
    shop.live.close();
    return bench.faults;
  } finally {
    memory.stop();
    await server.stop();
  }
}

/** Ends the process where it is not understood. */
function understood(): OverloadCommand {
  try {
    return parseOverload(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nmore: docs/OVERLOAD.md`);
    process.exit(USAGE);
  }
}

const { seconds, factor } = understood();
const faults = await run(seconds, factor);
console.log(faults.length === 0 ? "the overload is survived" : `failed: ${faults.length}`);
process.exit(faults.length === 0 ? 0 : 1);
