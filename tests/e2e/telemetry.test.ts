/** What operators see of a node: metrics, the lines of requests, probes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ENGINE_METRICS } from "../../gateway/metrics/engine-metrics.ts";
import { HTTP_METRICS } from "../../gateway/metrics/http-metrics.ts";
import { LIMIT_METRICS } from "../../gateway/metrics/limit-metrics.ts";
import { NODE_METRICS } from "../../gateway/metrics/node-metrics.ts";
import { NOTIFIER_METRICS } from "../../gateway/metrics/notifier-metrics.ts";
import { BoxOffice } from "../support/box-office.ts";
import { LiveClient } from "../support/client.ts";
import { OPS_TOKEN, until } from "../support/server.ts";
import type { HoldShape } from "../support/shapes.ts";
import { ok, openStudio } from "../support/venue.ts";

/** Of a node with 16 shards, whatever it is sent. Half of it are buckets of routes. */
const SERIES_MAX = 4_000;

const office = BoxOffice.forThisFile();
const { api } = office;

interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

async function scrape(): Promise<Series[]> {
  const { text, headers } = await api.get("/metrics");
  assert.match(headers["content-type"] ?? "", /^text\/plain; version=0\.0\.4/);
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", inside = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const labels = [...inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      return {
        name,
        labels: Object.fromEntries(labels.map(([, label = "", text = ""]) => [label, text])),
        value: Number(value),
      };
    });
}

const figureOf = (all: Series[], name: string, labels: Series["labels"] = {}): number | undefined =>
  all.find(
    (one) =>
      one.name === name &&
      Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  )?.value;

test("a sale is in the metrics of every part that it went through", async () => {
  const event = await openStudio(api);
  const { token } = await office.register();
  const path = `/api/v1/events/${event.id}/holds`;
  const body = { items: [{ area: "floor", quantity: 1 }] };
  const hold = ok(await api.post<HoldShape>(path, { token, body }), 201);
  const booking = { holdId: hold.id, payment: { provider: "none" }, email: "a@example.org" };
  ok(await api.post(`/api/v1/events/${event.id}/bookings`, { token, body: booking }), 201);
  const live = await LiveClient.open(office.node.url, token);
  live.send({ op: "subscribe", eventId: event.id });
  await live.next("snapshot");
  assert.equal((await live.ask({ op: "hold", eventId: event.id, ...body })).status, 201);
  await until("the page shows it all", async () => {
    const all = await scrape();
    const counts = [
      figureOf(all, "evently_facts_total", { kind: "held" }) === 2,
      figureOf(all, "evently_bookings_total") === 1,
      (figureOf(all, "evently_notifier_figures", { figure: "mail_sent" }) ?? 0) >= 1,
      figureOf(all, "evently_holds_active") === 1,
      figureOf(all, "evently_projection_lag_seconds") === 0,
      (figureOf(all, "evently_projection_facts_total") ?? 0) >= 4,
    ];
    return counts.every((isRight) => isRight);
  });
  const all = await scrape();
  const route = "/api/v1/events/:id/holds";
  const asked = { method: "POST", route, status: "2xx" };
  assert.equal(figureOf(all, "evently_http_requests_total", asked), 1);
  assert.equal(figureOf(all, "evently_http_request_duration_seconds_count", { route }), 1);
  const buckets = all.filter(
    ({ name, labels }) =>
      name === "evently_http_request_duration_seconds_bucket" && labels.route === route,
  );
  assert.equal(buckets.at(-1)?.labels.le, "+Inf");
  assert.equal(buckets.at(-1)?.value, 1);
  assert.equal(figureOf(all, "evently_websocket_requests_total", { op: "hold" }), 1);
  assert.equal(figureOf(all, "evently_websocket_connections"), 1);
  assert.equal(figureOf(all, "evently_websocket_subscriptions"), 1);
  assert.equal(figureOf(all, "evently_commands_total", { kind: "book" }), 1);
  assert.ok((figureOf(all, "evently_journal_sync_duration_seconds_count") ?? 0) > 3);
  assert.ok((figureOf(all, "evently_journal_segments") ?? 0) >= 1);
  assert.equal(figureOf(all, "evently_database_up"), 1);
  assert.equal(figureOf(all, "evently_serving"), 1);
  const threads = all.filter(({ name }) => name === "evently_thread_busy_seconds_total");
  const names = threads.map(({ labels }) => labels.thread).sort();
  assert.deepEqual(names, ["gateway", "journal", "notifier", "projector", "shards-0"]);
  live.close();
});

test("whatever is sent, labels and their number are the program's own", async () => {
  const { token } = await office.register();
  const live = await LiveClient.open(office.node.url, token);
  const junk = Array.from({ length: 300 }, (_, n) => `x${n.toString(36)}"\\{}\n`);
  for (const word of junk) {
    const path = encodeURIComponent(word);
    await api.get(`/${path}`);
    await api.get(`/api/v1/events/${path}?q=${path}`, {
      headers: { "X-Request-Id": `id-${path}` },
    });
    await api.request("PURGE", `/api/v1/holds/${path}`, { token: path });
    await api.post(`/api/v1/payments/webhooks/${path}`, { body: { type: word } });
    live.send({ op: word, id: word, eventId: word });
  }
  const event = await openStudio(api);
  for (const word of junk.slice(0, 50)) {
    await live.ask({ op: "hold", eventId: event.id, items: [{ seat: word }] });
    const key = encodeURIComponent(word);
    await api.post(`/api/v1/events/${event.id}/holds`, { token, key, body: { items: word } });
  }
  live.close();
  await until("the page has counted it", async () => {
    const unmatched = { route: "unmatched", method: "GET", status: "4xx" };
    return (figureOf(await scrape(), "evently_http_requests_total", unmatched) ?? 0) >= 300;
  });
  const all = await scrape();
  assert.ok(all.length < SERIES_MAX, `${all.length} series`);
  const known = new Map(
    [
      ...[...HTTP_METRICS, ...LIMIT_METRICS, ...ENGINE_METRICS],
      ...[...NODE_METRICS, ...NOTIFIER_METRICS],
    ].map(({ name, labels }) => [name, labels]),
  );
  for (const { name, labels } of all.filter((one) => one.name.startsWith("evently_"))) {
    const family = known.get(name) ?? known.get(name.replace(/_(?:bucket|sum|count)$/, ""));
    const expected = [...(family ?? ["none"])].sort();
    const { le: _, ...own } = labels;
    assert.deepEqual(Object.keys(own).sort(), expected, name);
    for (const value of Object.values(own)) assert.match(value, /^[A-Za-z0-9_:./-]{1,60}$/, name);
  }
  const methods = all.filter(({ name }) => name === "evently_http_requests_total");
  assert.ok(methods.some(({ labels }) => labels.method === "other"));
  assert.equal(
    all.some(({ labels }) => Object.values(labels).some((value) => /x\d|%22/.test(value))),
    false,
  );
});

test("each message of a socket has a requestId of its own", async () => {
  const event = await openStudio(api);
  const { token } = await office.register();
  const live = await LiveClient.open(office.node.url, token);
  const hold = { op: "hold", eventId: event.id, items: [{ area: "floor", quantity: 1 }] };
  const idsOf = (): string[] =>
    office.node
      .logged('"method":"WS"')
      .filter((line) => line.includes(event.id))
      .map((line) => (JSON.parse(line) as { requestId: string }).requestId);
  // A second has lines for a few only, and others may have had them: then it is asked again.
  await until("there are lines", async () => {
    for (let n = 0; n < 2; n += 1) await live.ask(hold);
    return idsOf().length >= 2;
  });
  const ids = idsOf();
  assert.equal(new Set(ids).size, ids.length, ids.join());
  // Of this process, as those of requests: a restart begins with another prefix.
  for (const id of ids) assert.match(id, /^[0-9a-f]{12}-[0-9a-z]+$/);
  await live.close();
});

test("a request's line has its ids, and nothing that is secret or names a person", async () => {
  const event = await openStudio(api);
  const person = await office.register("somebody.special@example.org");
  const { token } = person;
  const headers = { "X-Request-Id": "line-of-a-hold" };
  const path = `/api/v1/events/${event.id}/holds`;
  const ask = { token, key: "once", body: { items: [{ seat: "A-1" }] } };
  // A second has lines for a few only, and others may have had them: then it is asked again.
  await until("its line is there", async () => {
    ok(await api.post(path, { ...ask, headers }), 201);
    return office.node.logged("line-of-a-hold").length > 0;
  });
  const [line = ""] = office.node.logged("line-of-a-hold");
  const { requestId, method, route, status, eventId, userId } = JSON.parse(line) as Record<
    string,
    unknown
  >;
  assert.deepEqual(
    { requestId, method, route, status, eventId, userId },
    {
      ...{ requestId: "line-of-a-hold", method: "POST", route: "/api/v1/events/:id/holds" },
      ...{ status: 201, eventId: event.id, userId: person.id },
    },
  );
  const refused = { "X-Request-Id": "line-of-a-refusal" };
  await until("that has one, too", async () => {
    await api.post(path, { ...ask, key: "again", headers: refused });
    return office.node.logged("line-of-a-refusal").length > 0;
  });
  assert.match(office.node.logged("line-of-a-refusal")[0] ?? "", /"code":"seat_unavailable"/);
  for (const secret of [token, "somebody.special", OPS_TOKEN, "127.0.0.1:"]) {
    const lines = office.node.logged(secret).filter((text) => text.includes('"msg":"request"'));
    assert.deepEqual(lines, []);
  }
});

test("a crowd gets a bounded number of lines, and is told how many are missing", async () => {
  const before = office.node.logged('"msg":"request"').length;
  const asked = Array.from({ length: 600 }, () => api.get("/api/v1/nothing-here"));
  await Promise.all(asked);
  await until("a later request says what was left out", async () => {
    await api.get("/api/v1/nothing-here");
    return office.node.logged("requests without a line").length > 0;
  });
  const lines = office.node.logged('"msg":"request"').length - before;
  const left = office.node.logged("requests without a line").map((line) => JSON.parse(line));
  const count = left.reduce((sum: number, line: { count: number }) => sum + line.count, 0);
  assert.ok(count > 0 && lines < 600, `${lines} lines, ${count} left out`);
});

test("every shard says how it does, and subscribers are counted where they are", async () => {
  const event = await openStudio(api);
  const live = await LiveClient.open(office.node.url);
  live.send({ op: "subscribe", eventId: event.id });
  await live.next("snapshot");
  const ask = { token: OPS_TOKEN };
  const { shards } = ok(await api.get<{ shards: Record<string, unknown>[] }>("/ops/shards", ask));
  assert.equal(shards.length, 16);
  const own = shards.find(({ actors }) => (actors as string[]).includes(event.id));
  assert.equal(own?.subscribers, 1);
  const one = ok(await api.get<Record<string, unknown>>(`/ops/shards/${own?.shard}`, ask));
  for (const name of [
    ...["worker", "actorCount", "mailboxDepth", "inFlight", "commandsPerSecond", "batchSize"],
    ...["lsn", "durableLsn", "projectedLsn", "journalLagFacts", "projectionLagFacts"],
    ...["latencyMsP50", "latencyMsP99", "eventLoopUtilisation", "subscribers"],
  ]) {
    assert.equal(typeof one[name], "number", name);
  }
  live.close();
});
