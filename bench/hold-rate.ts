/**
 * How many durable holds a second one hot event takes, and how long a buyer waits for one:
 *
 *   npm run bench:hold                  about 10 seconds of load
 *   npm run bench:hold -- 30            about 30
 *
 * The load (64 connections, one request at a time on each) comes from this process,
 * on the same machine: it takes its share of the cores. The result is checked: every acknowledged
 * hold, and nothing else, must be in the availability, and the audit must find no drift.
 */
import assert from "node:assert/strict";
import { cpus, totalmem } from "node:os";
import autocannon from "autocannon";
import { BenchApi, CAPACITY } from "./bench-api.ts";
import { startBenchServer } from "./bench-server.ts";

const CONNECTIONS = 64;
const SECONDS_DEFAULT = 10;
const WARM_UP_HOLDS = 40_000;
/** One buyer may have 100,000 places: this many may have more than there are. */
const BUYERS = 64;

/** Sends exactly `amount` holds: a load that is cut off in flight could not be counted. */
async function load(url: string, tokens: readonly string[], amount: number) {
  let [startMs, endMs] = [0, 0];
  const result = await autocannon({
    url,
    method: "POST",
    body: JSON.stringify({ items: [{ area: "floor", quantity: 1 }] }),
    requests: tokens.map((token) => ({
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    })),
    connections: CONNECTIONS,
    pipelining: 1,
    amount,
    timeout: 30,
    // Its own times end with the second in which the last answer came.
    setupClient: (client) => {
      startMs ||= performance.now();
      client.on("response", () => {
        endMs = performance.now();
      });
    },
  });
  const seconds = (endMs - startMs) / 1000;
  return { ...result, seconds, accepted: result["2xx"], holdsPerSecond: result["2xx"] / seconds };
}

async function run(seconds: number): Promise<void> {
  const server = await startBenchServer();
  try {
    const api = new BenchApi(server.url);
    const eventId = await api.openFloor();
    const tokens = await api.guestTokens(BUYERS);
    const holds = `${server.url}/api/v1/events/${eventId}/holds`;
    const warm = await load(holds, tokens, WARM_UP_HOLDS);
    const wanted = Math.round(warm.holdsPerSecond * seconds);
    const measured = await load(holds, tokens, Math.min(wanted, CAPACITY - WARM_UP_HOLDS));
    const lag = await api.projectionLag();
    const endMs = Date.now();
    const audit = await api.audit(eventId);
    const auditMs = Date.now() - endMs;
    const journal = await api.journal();

    const [processor] = cpus();
    const memoryGiB = Math.round(totalmem() / 2 ** 30);
    console.log(`machine        ${cpus().length} × ${processor?.model}, ${memoryGiB} GiB`);
    console.log(`node           ${process.version}`);
    console.log(`holds          ${measured.accepted} in ${measured.seconds.toFixed(2)} s`);
    console.log(`holds/s        ${Math.round(measured.holdsPerSecond)}`);
    console.log(`latency ms     p50 ${measured.latency.p50}, p99 ${measured.latency.p99}`);
    console.log(`facts/fdatasync ${(journal.entries / journal.fsyncs).toFixed(1)}`);
    console.log(`projection lag ${lag} facts; projected and audited ${auditMs} ms later`);

    const availability = await api.availability(eventId);
    const accepted = warm.accepted + measured.accepted;
    const unexpected = warm.non2xx + measured.non2xx + warm.errors + measured.errors;
    assert.equal(unexpected, 0, "every request is accepted");
    assert.equal(availability.held, accepted, "every acknowledged hold, and no other, is shown");
    assert.deepEqual([audit.ok, audit.drift], [true, []], "memory and database agree");
    console.log("checked        every hold is there, the audit found no drift");
  } finally {
    await server.stop();
  }
}

await run(Number(process.argv[2] ?? SECONDS_DEFAULT));
