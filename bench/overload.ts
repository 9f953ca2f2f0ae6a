/**
 * What becomes of the sale when ten times as many buyers come as can be served:
 *
 *   npm run bench:overload              about two minutes
 *   npm run bench:overload -- 30        stretches of 30 seconds instead of 10
 *
 * A buyer holds a place and books it; goodput is bookings a second. First the maximum: buyers who
 * buy one place after another, over HTTP and then over WebSocket, of which the better one counts.
 * Then ten times that many buyers come every second, whatever becomes of those before them: some
 * over HTTP with a connection each, most over WebSockets on which nobody waits for anybody, which
 * is what lets one core offer so much. Who hears `busy` goes away. Then the load drops to half of
 * the maximum. Goodput counts PostgreSQL in: what it has not stored when a stretch ends is waited
 * for, and the wait counts.
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
import type { Door } from "./sale-door.ts";
import { SaleLoad } from "./sale-load.ts";
import type { SaleTally } from "./sale-tally.ts";

const SECONDS_DEFAULT = 10;
const WARM_UP_SECONDS = 5;
const RECOVERY_SECONDS = 5;
const OVERLOAD_FACTOR = 10;
/** Of the overload; the rest comes over WebSockets. */
const HTTP_FACTOR = 2;
const HTTP_CONNECTIONS = 2_048;
const SOCKETS = 64;
/** Buyers of the closed loop. */
const BUYERS = 256;
const ACCOUNTS = 64;
const NORMAL_SHARE = 0.5;

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

  expect(what: string, holds: boolean): void {
    console.log(`${holds ? "ok    " : "FAILED"} ${what}`);
    if (!holds) this.#faults.push(what);
  }

  /** The load that `start` begins, for some seconds, and then quiet. */
  async stretch(name: string, seconds: number, start: () => void): Promise<Stretch> {
    this.#memory.takePeakMiB();
    this.#machine.takeOthers();
    const loop = performance.eventLoopUtilization();
    start();
    const tally = await this.#load.measure(seconds);
    const { utilization } = performance.eventLoopUtilization(loop);
    const memoryMiB = this.#memory.takePeakMiB();
    await this.#load.drained();
    const catchUpSeconds = await this.#caughtUp();
    const others = this.#machine.takeOthers();
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
      const busy = `${tally.busyHolds + tally.busyBookings} busy`;
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

async function run(seconds: number): Promise<readonly string[]> {
  const { launcher, description } = splitCores();
  const server = await startBenchServer(launcher);
  const memory = new MemoryWatch(server.pid);
  const doors: Door[] = [];
  try {
    const api = new BenchApi(server.url);
    const eventId = await api.openFloor();
    const tokens = await api.guestTokens(ACCOUNTS);
    const http = new HttpDoor({ url: server.url, eventId, tokens, connections: HTTP_CONNECTIONS });
    doors.push(http);
    const live = await LiveDoor.open({ url: server.url, eventId, tokens, connections: SOCKETS });
    doors.push(live);
    const load = new SaleLoad(doors);
    const machine = new MachineShare([process.pid, server.pid]);
    const bench = new OverloadBench({ api, load, memory, machine });
    const [processor] = cpus();
    const memoryGiB = Math.round(totalmem() / 2 ** 30);
    print("machine", [`${cpus().length} × ${processor?.model}, ${memoryGiB} GiB`, description]);
    print("node", [process.version]);
    const startMiB = memory.nowMiB();

    await bench.stretch("warm-up", WARM_UP_SECONDS, () => load.setBuyers(http, BUYERS));
    const maxima = [
      await bench.stretch("maximum, HTTP", seconds, () => load.setBuyers(http, BUYERS)),
      await bench.stretch("maximum, live", seconds, () => load.setBuyers(live, BUYERS)),
    ];
    const maximum = Math.max(...maxima.map(({ goodput }) => goodput));
    const normal = await bench.stretch("half of it", RECOVERY_SECONDS, () => {
      load.setArrivals(http, maximum * NORMAL_SHARE);
    });
    const overload = await bench.stretch("ten times", seconds, () => {
      load.setArrivals(http, maximum * HTTP_FACTOR);
      load.setArrivals(live, maximum * (OVERLOAD_FACTOR - HTTP_FACTOR));
    });
    load.setArrivals(http, maximum * NORMAL_SHARE);
    const after = await bench.seconds("half again", RECOVERY_SECONDS);
    await load.drained();

    const { tally } = overload;
    const share = overload.goodput / maximum;
    const offered = tally.sentPerSecond / maximum;
    const beforeMs = normal.tally.holdMs.percentileMs(0.99);
    const isAsBefore = (second: SaleTally): boolean =>
      second.salesPerSecond >= maximum * NORMAL_SHARE * GOODPUT_SHARE_MIN &&
      second.holdMs.percentileMs(0.99) <= beforeMs + RECOVERED_MS_MORE_MAX;
    const recovered = after.findIndex(isAsBefore);
    const mostMiB = Math.max(...maxima.map(({ memoryMiB }) => memoryMiB));
    const growthMiB = overload.memoryMiB - mostMiB;
    const busyMs = tally.busyMs.percentileMs(0.99);
    const [audit, availability] = [await api.audit(eventId), await api.availability(eventId)];

    console.log("");
    print("memory MiB", [
      `start ${startMiB}, maximum ${mostMiB}, overload ${overload.memoryMiB}, ` +
        `after ${memory.nowMiB()}`,
    ]);
    bench.expect(
      `offered ${offered.toFixed(1)} times the maximum of ${rate(maximum)} sales/s`,
      offered >= OVERLOAD_FACTOR * OFFERED_SHARE_MIN,
    );
    bench.expect(
      `goodput ${rate(overload.goodput)} sales/s is ${Math.round(share * 100)} % of the maximum ` +
        `(at least ${GOODPUT_SHARE_MIN * 100} %)`,
      share >= GOODPUT_SHARE_MIN,
    );
    bench.expect(
      `99 % of the busy answers came within ${busyMs.toFixed(1)} ms (${BUSY_MS_P99_MAX} ms)`,
      busyMs <= BUSY_MS_P99_MAX,
    );
    bench.expect(
      `memory grew by ${growthMiB} MiB over the maximum's (at most ${MEMORY_GROWTH_MIB_MAX})`,
      growthMiB <= MEMORY_GROWTH_MIB_MAX,
    );
    bench.expect(
      recovered === -1 ? "no second was as before" : `as before in second ${recovered + 1}`,
      recovered !== -1,
    );
    bench.expect("memory and database agree", audit.ok && audit.drift.length === 0);
    const { held, sold } = availability;
    bench.expect(
      `sold ${sold}, acknowledged ${load.sold}; held ${held}, acknowledged ` +
        `${load.held - load.sold}`,
      sold === load.sold && held === load.held - load.sold,
    );
    return bench.faults;
  } finally {
    memory.stop();
    for (const door of doors) door.close();
    await server.stop();
  }
}

const faults = await run(Number(process.argv[2] ?? SECONDS_DEFAULT));
console.log(faults.length === 0 ? "the overload is survived" : `failed: ${faults.length}`);
process.exitCode = faults.length === 0 ? 0 : 1;
