/** What a collector is told of a request on its way through the threads. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiClient, LiveClient } from "../support/client.ts";
import { TestNode, until } from "../support/server.ts";
import type { EventShape, HoldShape } from "../support/shapes.ts";
import { attributeOf, type CollectedSpan, TraceCollector } from "../support/trace-collector.ts";
import { guestToken, ok, openStudio } from "../support/venue.ts";

const NAMES = [
  "actor.ask",
  "actor.decide",
  "actor.mailbox",
  "journal.commit",
  "projector.transaction",
];

let collector: TraceCollector;
let node: TestNode;
let event: EventShape;
let token: string;
const api = new ApiClient(() => node.url);

before(async () => {
  collector = await TraceCollector.start();
  node = await TestNode.start({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_SERVICE_NAME: "box-office",
    // Only what comes with a caller's trace.
    OTEL_TRACES_SAMPLER: "parentbased_always_off",
    OTEL_BSP_SCHEDULE_DELAY: "100",
  });
  event = await openStudio(api);
  token = await guestToken(api);
});
after(async () => {
  api.close();
  await node.remove();
  collector.close();
});

/** The spans of one trace, by name, once all of it has come. */
async function traced(traceId: string, root: string): Promise<Map<string, CollectedSpan>> {
  await until(`${root} is collected`, () => {
    const names = new Set(collector.ofTrace(traceId).map(({ name }) => name));
    return [root, ...NAMES].every((name) => names.has(name));
  });
  return new Map(collector.ofTrace(traceId).map((span) => [span.name, span]));
}

const nanos = (text: string | undefined): bigint => BigInt(text ?? 0);

test("a hold's spans have the right parents, from the caller to the projector's transaction", async () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const callerId = "00f067aa0ba902b7";
  const hold = ok(
    await api.post<HoldShape>(`/api/v1/events/${event.id}/holds`, {
      token,
      body: { items: [{ area: "floor", quantity: 1 }] },
      headers: { traceparent: `00-${traceId}-${callerId}-01`, "X-Request-Id": "traced-hold" },
    }),
    201,
  );
  const root = "POST /api/v1/events/:id/holds";
  const spans = await traced(traceId, root);
  const request = spans.get(root);
  const ask = spans.get("actor.ask");
  assert.ok(request !== undefined && ask !== undefined);
  assert.equal(request.parentSpanId, callerId);
  assert.equal(ask.parentSpanId, request.spanId);
  for (const name of NAMES.slice(1)) assert.equal(spans.get(name)?.parentSpanId, ask.spanId, name);
  assert.equal(spans.size, NAMES.length + 1, [...spans.keys()].join());
  assert.equal(attributeOf(request, "http.response.status_code"), "201");
  assert.equal(attributeOf(request, "evently.request_id"), "traced-hold");
  assert.equal(attributeOf(ask, "evently.event_id"), hold.eventId);
  for (const name of ["journal.commit", "projector.transaction"]) {
    const links = spans.get(name)?.links?.map((link) => link.spanId);
    assert.deepEqual(links, [ask.spanId], `${name} is linked to whose work it was`);
  }
  // In the order in which it happened; the clocks of the threads are one.
  const [mailbox, decide] = [spans.get("actor.mailbox"), spans.get("actor.decide")];
  const commit = spans.get("journal.commit");
  assert.ok(nanos(request.startTimeUnixNano) <= nanos(ask.startTimeUnixNano));
  assert.ok(nanos(mailbox?.endTimeUnixNano) <= nanos(decide?.startTimeUnixNano));
  assert.ok(nanos(decide?.endTimeUnixNano) <= nanos(commit?.startTimeUnixNano));
  assert.ok(nanos(commit?.endTimeUnixNano) <= nanos(ask.endTimeUnixNano));
  assert.ok(nanos(ask.endTimeUnixNano) <= nanos(request.endTimeUnixNano));
  assert.deepEqual([...collector.services], ["box-office"]);
  const [line = ""] = node.logged('"requestId":"traced-hold"');
  assert.equal((JSON.parse(line) as { traceId?: string }).traceId, traceId);
});

test("a hold over WebSocket is traced by the traceparent of its message", async () => {
  const traceId = "5bf92f3577b34da6a3ce929d0e0e4736";
  const live = await LiveClient.open(node.url, token);
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
  const items = [{ area: "floor", quantity: 1 }];
  const reply = await live.ask({ op: "hold", eventId: event.id, items, traceparent });
  assert.equal(reply.status, 201);
  const spans = await traced(traceId, "WS hold");
  assert.equal(spans.get("actor.ask")?.parentSpanId, spans.get("WS hold")?.spanId);
  live.close();
});

test("what is not sampled leaves no span, and what is broken is no trace", async () => {
  const unsampled = "6bf92f3577b34da6a3ce929d0e0e4736";
  const path = `/api/v1/events/${event.id}/availability`;
  ok(await api.get(path, { headers: { traceparent: `00-${unsampled}-00f067aa0ba902b7-00` } }));
  ok(await api.get(path, { headers: { traceparent: "00-nonsense" } }));
  ok(await api.get(path));
  // Spans leave in order: what came before this one has been sent as well.
  const last = "7bf92f3577b34da6a3ce929d0e0e4736";
  ok(await api.get(path, { headers: { traceparent: `00-${last}-00f067aa0ba902b7-01` } }));
  await until("the last one is collected", () => collector.ofTrace(last).length > 0);
  assert.deepEqual(collector.ofTrace(unsampled), []);
  const traces = new Set(collector.spans.map(({ traceId }) => traceId[0]));
  assert.deepEqual([...traces].sort(), ["4", "5", "7"]);
});
