/** What the environment says about metrics and traces: a part of config.ts. */

interface Option<T> {
  readonly name: string;
  readonly default: T;
  readonly parse: (text: string) => T | undefined;
  readonly accepts: string;
  readonly help: string;
}

const SAMPLERS = [
  ...(["always_on", "always_off", "traceidratio"] as const),
  ...(["parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"] as const),
];
export type SamplerName = (typeof SAMPLERS)[number];

const PROTOCOLS = ["http/protobuf", "http/json"] as const;
export type OtlpProtocol = (typeof PROTOCOLS)[number];

const option = <T>(given: Option<T>): Option<T> => given;

const httpUrl = (text: string): string | undefined =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : undefined;

const oneOf =
  <T extends string>(words: readonly T[]) =>
  (text: string): T | undefined =>
    words.find((word) => word === text);

/** `name=value` with commas between, the values percent-encoded: as OpenTelemetry has it. */
const pairs = (text: string): string | undefined => {
  const isPair = (pair: string): boolean =>
    /^\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+\s*=[^\p{Cc}]*$/u.test(pair) && isPercentEncoded(pair);
  return text.split(",").every(isPair) ? text : undefined;
};

function isPercentEncoded(text: string): boolean {
  try {
    return decodeURIComponent(text) !== "";
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

const PAIRS = "name=value pairs with commas between, the values percent-encoded";

const unset: string | null = null;
const A_URL = "a URL that starts with http:// or https://";

export const TELEMETRY_OPTIONS = {
  metricsPort: option<number | null>({
    name: "METRICS_PORT",
    default: null,
    parse: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
    accepts: "a port from 0 (any free one) to 65535",
    help: "Port of its own for /metrics and /health. Unset: /metrics is on PORT.",
  }),
  metricsHost: option({
    name: "METRICS_HOST",
    default: unset,
    parse: (text) => (/^[A-Za-z0-9.:_-]{1,255}$/.test(text) ? text : undefined),
    accepts: "an IP address or a host name",
    help: "Address that METRICS_PORT is opened on. Unset: that of HOST.",
  }),
  metricsToken: option({
    name: "METRICS_TOKEN",
    default: unset,
    parse: (text) => (/^[\x21-\x7e]{16,200}$/.test(text) ? text : undefined),
    accepts: "16 to 200 visible ASCII characters",
    help: "Bearer token without which /metrics is not shown. Unset: it is shown to everybody.",
  }),
  otlpEndpoint: option({
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    default: unset,
    parse: httpUrl,
    accepts: A_URL,
    help: "OpenTelemetry collector; traces go to its /v1/traces. Unset: nothing is traced.",
  }),
  otlpTracesEndpoint: option({
    name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    default: unset,
    parse: httpUrl,
    accepts: A_URL,
    help: "The same for traces alone, used as it is.",
  }),
  otlpProtocol: option<OtlpProtocol>({
    name: "OTEL_EXPORTER_OTLP_PROTOCOL",
    default: "http/protobuf",
    parse: oneOf(PROTOCOLS),
    accepts: PROTOCOLS.join(" or "),
    help: "How traces are written.",
  }),
  otlpHeaders: option({
    name: "OTEL_EXPORTER_OTLP_HEADERS",
    default: unset,
    parse: pairs,
    accepts: PAIRS,
    help: "Further headers for the collector, as for a token.",
  }),
  otelResourceAttributes: option({
    name: "OTEL_RESOURCE_ATTRIBUTES",
    default: unset,
    parse: pairs,
    accepts: PAIRS,
    help: "What else traces say of who is speaking.",
  }),
  otelServiceName: option({
    name: "OTEL_SERVICE_NAME",
    default: "evently",
    parse: (text) => (text.length <= 255 ? text : undefined),
    accepts: "at most 255 characters",
    help: "service.name of traces.",
  }),
  otelSampler: option<SamplerName>({
    name: "OTEL_TRACES_SAMPLER",
    default: "parentbased_always_on",
    parse: oneOf(SAMPLERS),
    accepts: SAMPLERS.join(", "),
    help: "Which requests are traced.",
  }),
  otelSamplerArg: option({
    name: "OTEL_TRACES_SAMPLER_ARG",
    default: 1,
    parse: (text) =>
      /^(?:0|1|[01]?\.\d+)$/.test(text) && Number(text) <= 1 ? Number(text) : undefined,
    accepts: "a number from 0 to 1",
    help: "Part of all requests that the traceidratio samplers take.",
  }),
  otelDisabled: option<"true" | "false">({
    name: "OTEL_SDK_DISABLED",
    default: "false",
    parse: oneOf(["true", "false"]),
    accepts: "true or false",
    help: "true: nothing is traced, whatever else is set.",
  }),
};

export interface TracingConfig {
  /** Where spans are posted. */
  readonly url: string;
  readonly protocol: OtlpProtocol;
  readonly serviceName: string;
  readonly sampler: SamplerName;
  readonly ratio: number;
}

export interface TelemetryConfig {
  readonly metrics: {
    /** null: on the gateway's port. */
    readonly port: number | null;
    /** null: the gateway's address. */
    readonly host: string | null;
    /** null: shown to everybody. */
    readonly token: string | null;
  };
  /** null: nothing is traced. */
  readonly tracing: TracingConfig | null;
}

/** `read` gives an option's value, or throws what stops the start. */
export function telemetryOf(read: <T>(option: Option<T>) => T): TelemetryConfig {
  const options = TELEMETRY_OPTIONS;
  const endpoint = read(options.otlpEndpoint);
  const ofTraces = read(options.otlpTracesEndpoint);
  // OpenTelemetry's own code takes these from the environment; here they are checked.
  read(options.otlpHeaders);
  read(options.otelResourceAttributes);
  const url = ofTraces ?? (endpoint === null ? null : `${endpoint.replace(/\/+$/, "")}/v1/traces`);
  const tracing = {
    protocol: read(options.otlpProtocol),
    serviceName: read(options.otelServiceName),
    sampler: read(options.otelSampler),
    ratio: read(options.otelSamplerArg),
  };
  return {
    metrics: {
      port: read(options.metricsPort),
      host: read(options.metricsHost),
      token: read(options.metricsToken),
    },
    tracing: url === null || read(options.otelDisabled) === "true" ? null : { url, ...tracing },
  };
}
