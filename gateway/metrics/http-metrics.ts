import type { HttpMeter, RouteMeter } from "../http/http-meter.ts";
import type { HttpServer } from "../http/server.ts";
import { byName, type MetricFamily, plain, type Sample } from "./metric-family.ts";

export interface HttpSource {
  readonly meter: HttpMeter;
  readonly server: Pick<
    HttpServer,
    "openRequests" | "bodyBytes" | "openSockets" | "openConnections"
  >;
  /** Subscriptions of all WebSockets, and events of which there is a live copy. */
  readonly hub: { readonly subscriptionCount: number; readonly watchedCount: number };
}

const routeOf = ({ method, route }: RouteMeter) => ({ method, route });
const opOf = ({ route }: RouteMeter) => ({ op: route });

function* ends(
  meters: Iterable<RouteMeter>,
  labelsOf: (meter: RouteMeter) => Readonly<Record<string, string>>,
): Iterable<Sample> {
  for (const meter of meters) {
    for (const [status, count] of meter.counts()) yield [{ ...labelsOf(meter), status }, count];
  }
}

/** Routes that were asked for: the others would be lines of zeros. */
const asked = (meters: Iterable<RouteMeter>): RouteMeter[] =>
  [...meters].filter((meter) => meter.counts().length > 0);

export const HTTP_METRICS: readonly MetricFamily<HttpSource>[] = [
  {
    name: "evently_http_requests_total",
    kind: "counter",
    labels: ["method", "route", "status"],
    help: "Requests by method, route pattern and class of the status; gone: the client left first.",
    read: ({ meter }) => ends(meter.routes(), routeOf),
  },
  {
    name: "evently_http_request_duration_seconds",
    kind: "histogram",
    labels: ["method", "route"],
    help: "From a request's headers until its answer was written.",
    read: ({ meter }) => asked(meter.routes()).map((one) => [routeOf(one), one.seconds]),
  },
  {
    name: "evently_http_requests_in_flight",
    kind: "gauge",
    labels: [],
    help: "Requests that are not answered yet, and answers that are not sent yet.",
    read: ({ server }) => plain(server.openRequests),
  },
  {
    name: "evently_http_body_bytes",
    kind: "gauge",
    labels: [],
    help: "Bytes of the bodies of unanswered requests.",
    read: ({ server }) => plain(server.bodyBytes),
  },
  {
    name: "evently_http_connections",
    kind: "gauge",
    labels: [],
    help: "Open HTTP connections.",
    read: ({ server }) => plain(server.openConnections),
  },
  {
    name: "evently_http_connections_refused_total",
    kind: "counter",
    labels: [],
    help: "Connections that were closed unheard: there were too many, or too many of an address.",
    read: ({ meter }) => plain(meter.connectionsRefused),
  },
  {
    name: "evently_refusals_total",
    kind: "counter",
    labels: ["code"],
    help: "Refusals over HTTP and WebSocket, by error code.",
    read: ({ meter }) => byName("code", meter.refusals.counts()),
  },
  {
    name: "evently_websocket_connections",
    kind: "gauge",
    labels: [],
    help: "Open WebSockets.",
    read: ({ server }) => plain(server.openSockets),
  },
  {
    name: "evently_websocket_subscriptions",
    kind: "gauge",
    labels: [],
    help: "Subscriptions to events, of all WebSockets.",
    read: ({ hub }) => plain(hub.subscriptionCount),
  },
  {
    name: "evently_websocket_watched_events",
    kind: "gauge",
    labels: [],
    help: "Events of which the gateway keeps a live copy of the availability.",
    read: ({ hub }) => plain(hub.watchedCount),
  },
  {
    name: "evently_websocket_requests_total",
    kind: "counter",
    labels: ["op", "status"],
    help: "Messages that ask for something, by op and class of the status.",
    read: ({ meter }) => ends(meter.ops(), opOf),
  },
  {
    name: "evently_websocket_request_duration_seconds",
    kind: "histogram",
    labels: ["op"],
    help: "From a message's arrival until its reply was sent.",
    read: ({ meter }) => asked(meter.ops()).map((one) => [opOf(one), one.seconds]),
  },
  {
    name: "evently_websocket_slow_readers_total",
    kind: "counter",
    labels: [],
    help: "WebSockets that were cut off with 1013, because they read too slowly.",
    read: ({ meter }) => plain(meter.slowReaders),
  },
  {
    name: "evently_websocket_refused_total",
    kind: "counter",
    labels: [],
    help: "WebSockets that were not let in.",
    read: ({ meter }) => plain(meter.socketsRefused),
  },
];
