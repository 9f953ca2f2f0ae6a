/**
 * Holds answers against the OpenAPI document: whatever a test asks of a node, the answer has to be
 * one that the document promises, to the last member.
 */
import { Ajv2020, type AnySchema, type ValidateFunction } from "ajv/dist/2020.js";
import { liveSection } from "../../gateway/live/live-operations.ts";
import { documentOf } from "../../gateway/openapi/document.ts";
import type { Json, JsonObject } from "../../gateway/openapi/json.ts";
import { OPERATIONS } from "../../gateway/openapi/operations.ts";

export interface HeardAnswer {
  readonly method: string;
  /** With or without a query. */
  readonly path: string;
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

interface KnownPath {
  readonly template: string;
  readonly pattern: RegExp;
  readonly item: JsonObject;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The member at the end of these names; undefined: there is none. */
export function memberAt(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  let found = value;
  for (const name of names) found = isObject(found) ? found[name] : undefined;
  return found;
}

/** Operations as a node has them, without a node. */
export function documentedApi(): JsonObject {
  const routes = Object.keys(OPERATIONS).map((key) => {
    const [method, path = ""] = key.split(" ");
    return { method: method as "GET", path };
  });
  const websocket = liveSection(OPERATIONS);
  return documentOf({ routes, operations: OPERATIONS, version: "0.0.0", websocket }).document;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Our own objects have no members but those that are described. */
function closed(value: Json): Json {
  if (Array.isArray(value)) return value.map(closed);
  if (!isObject(value)) return value;
  const members = Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, closed(member)]),
  );
  const isOpen = "properties" in members && !("additionalProperties" in members);
  return isOpen && members.type === "object"
    ? { ...members, additionalProperties: false }
    : members;
}

const pointerOf = (...names: readonly string[]): string =>
  names.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

const mediaTypeOf = (contentType: string): string => contentType.split(";")[0]?.trim() ?? "";

/** Every answer is one of the document's; faults are sentences. */
export class AnswerContract {
  readonly #paths: readonly KnownPath[];
  readonly #document: JsonObject;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #liveOperations: ReadonlyMap<string, readonly [path: string, method: string]>;

  constructor(given: JsonObject) {
    this.#document = given;
    this.#ajv = new Ajv2020({ strict: false, validateSchema: false });
    this.#ajv.addFormat(
      "uuid",
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    this.#ajv.addFormat("date-time", INSTANT);
    this.#ajv.addFormat("email", /@/);
    const schema = closed(given);
    this.#ajv.addSchema(schema as AnySchema, "api");
    const paths = Object.entries(isObject(given.paths) ? given.paths : {});
    this.#paths = paths.map(([template, item]) => ({
      template,
      pattern: patternOf(template),
      item: isObject(item) ? item : {},
    }));
    this.#liveOperations = new Map(
      paths.flatMap(([template, item]) =>
        Object.entries(isObject(item) ? item : {}).map(([method, operation]) => {
          return [String(memberAt(operation, "operationId")), [template, method]] as const;
        }),
      ),
    );
  }

  /** What is wrong with an answer; null: nothing. */
  faultOf(answer: HeardAnswer): string | null {
    // As the client sends it: without dots that lead up.
    const isPlain = !/\.\.|%2e/i.test(answer.path);
    const path = isPlain
      ? (answer.path.split("?")[0] ?? "")
      : new URL(`http://node${answer.path}`).pathname;
    const matching = this.#paths.filter(({ pattern }) => pattern.test(path));
    const method = answer.method === "HEAD" ? "get" : answer.method.toLowerCase();
    const known = matching.find(({ item }) => method in item);
    const fault = this.#faultOfHead(answer);
    if (fault !== null) return fault;
    if (known === undefined) return this.#faultOfStray(answer, matching);
    const where = ["paths", known.template, method];
    return this.#faultOfResponse(where, answer);
  }

  /** What is wrong with a message of the server; `asked` is the op that a reply answers. */
  liveFaultOf(message: unknown, asked: string | undefined): string | null {
    const op = isObject(message) ? String(message.op) : "";
    const where = ["x-websocket", "serverMessages", op, "schema"];
    if (memberAt(this.#document, ...where) === undefined) return `there is no message "${op}"`;
    const fault = this.#faultAgainst(where, message);
    if (fault !== null || op !== "reply" || asked === undefined || asked === "auth") return fault;
    return this.#faultOfReply(message as JsonObject, asked);
  }

  #faultOfReply({ status, body = null }: JsonObject, asked: string): string | null {
    const message = memberAt(this.#document, "x-websocket", "clientMessages", asked);
    const [path = "", method = ""] =
      this.#liveOperations.get(String(memberAt(message, "operationId"))) ?? [];
    const responses = ["paths", path, method, "responses"];
    if (isObject(body) && String(body.type).startsWith("/problems/")) {
      const isOfForm = LIVE_CODES.has(String(body.code));
      const codes = this.#codesOf([...responses, String(status)]);
      if (!isOfForm && !codes.includes(String(body.code))) {
        return `${asked} is not documented to answer ${status} ${body.code}`;
      }
      return this.#faultOfProblem({ ...body, requestId: "none over WebSockets" });
    }
    const at = this.#resolved([...responses, String(status)]);
    if (memberAt(this.#document, ...at) === undefined) {
      return `${asked} is not documented to answer ${status}`;
    }
    if (body === null) return null;
    return this.#faultAgainst([...at, "content", "application/json", "schema"], body);
  }

  #faultOfHead({ status, headers }: HeardAnswer): string | null {
    if (headers["x-request-id"] === undefined) return "there is no X-Request-Id";
    const isProblem = String(headers["content-type"]).startsWith("application/problem+json");
    const needsRetry = isProblem && (status === 503 || status === 504 || status === 429);
    if (needsRetry && !/^[1-9]\d*$/.test(String(headers["retry-after"]))) {
      return `Retry-After is ${headers["retry-after"]}`;
    }
    return null;
  }

  /** What is not in the document is not there. */
  #faultOfStray(answer: HeardAnswer, matching: readonly KnownPath[]): string | null {
    const { method, path, status, text, headers } = answer;
    const body = text === "" ? {} : parsed(text);
    const code = isObject(body) ? body.code : undefined;
    const what = `${method} ${path} is not in the document, and answers ${status} ${code}`;
    // A browser asks so before it asks for what is in the document.
    const isPreflight = method === "OPTIONS" && "access-control-allow-methods" in headers;
    if (isPreflight && status === 204 && text === "") return null;
    if (method === "HEAD") return status === 404 || status === 405 ? null : what;
    const isLive = method === "GET" && path === memberAt(this.#document, "x-websocket", "path");
    const otherwise = matching.length === 0 ? "404 not_found" : "405 method_not_allowed";
    const expected = isLive ? "426 upgrade_required" : otherwise;
    // Closing, it answers everything so.
    const isBusy = status === 503 && code === "busy";
    if (!isBusy && `${status} ${code}` !== expected) return what;
    if (status === 405 && headers.allow === undefined) return `${what} without Allow`;
    return isObject(body) ? this.#faultOfProblem(body) : what;
  }

  #faultOfResponse(where: readonly string[], answer: HeardAnswer): string | null {
    const { status, text, headers, method } = answer;
    const at = this.#resolved([...where, "responses", String(status)]);
    const response = memberAt(this.#document, ...at);
    if (response === undefined) return `${status} is not documented: ${text.slice(0, 200)}`;
    const missing = NEEDED_HEADERS.filter(
      (name) =>
        memberAt(response, "headers", name) !== undefined && !(name.toLowerCase() in headers),
    );
    if (missing.length > 0) return `${status} comes without ${missing.join(", ")}`;
    if ("idempotent-replayed" in headers) {
      const header = memberAt(response, "headers", "Idempotent-Replayed");
      if (header === undefined) return "Idempotent-Replayed is not documented";
    }
    const content = memberAt(response, "content");
    if (text === "") {
      const isEmpty = content === undefined || method === "HEAD";
      return isEmpty ? null : `${status} comes without its body`;
    }
    const type = mediaTypeOf(String(headers["content-type"]));
    if (memberAt(content, type) === undefined) return `${status} is documented to be no ${type}`;
    if (!type.endsWith("json")) return null;
    const body = parsed(text);
    if (type === "application/problem+json" && isObject(body)) {
      if (this.#codesOf(at).includes(String(body.code))) return this.#faultOfProblem(body);
      return `${status} ${body.code} is not documented`;
    }
    return this.#faultAgainst([...at, "content", type, "schema"], body);
  }

  #faultOfProblem(body: JsonObject): string | null {
    const name = `${String(body.code)
      .split("_")
      .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
      .join("")}Problem`;
    if (memberAt(this.#document, "components", "schemas", name) === undefined) {
      return UNWRITTEN.has(String(body.code)) ? null : `no problem has the code ${body.code}`;
    }
    return this.#faultAgainst(["components", "schemas", name], body);
  }

  /** Codes of a response's problems. */
  #codesOf(where: readonly string[]): readonly string[] {
    const media = [...this.#resolved(where), "content", "application/problem+json", "examples"];
    const examples = memberAt(this.#document, ...media);
    return isObject(examples) ? Object.keys(examples) : [];
  }

  /** Where a response really stands. */
  #resolved(where: readonly string[]): readonly string[] {
    const reference = memberAt(this.#document, ...where, "$ref");
    return typeof reference === "string" ? reference.slice("#/".length).split("/") : where;
  }

  #faultAgainst(where: readonly string[], value: unknown): string | null {
    const validate = this.#validatorOf(where);
    if (validate(value)) return null;
    const faults = (validate.errors ?? []).map(({ instancePath, message, params }) => {
      return `${instancePath || "it"} ${message} ${JSON.stringify(params)}`;
    });
    return `${where.at(-1)}: ${faults.join("; ")} in ${JSON.stringify(value).slice(0, 500)}`;
  }

  #validatorOf(where: readonly string[]): ValidateFunction {
    const name = where.join(" ");
    const known = this.#validators.get(name);
    if (known !== undefined) return known;
    const validate = this.#ajv.compile({ $ref: `api#${encodeURI(pointerOf(...where))}` });
    this.#validators.set(name, validate);
    return validate;
  }
}

/** What is answered where there is no operation, and told in the introduction. */
const UNWRITTEN: ReadonlySet<string> = new Set(["method_not_allowed", "upgrade_required"]);
/** What any message of the desk may be refused with because of its form. */
const LIVE_CODES: ReadonlySet<string> = new Set([
  "malformed_json",
  "validation_failed",
  "unauthenticated",
  "busy",
]);
const NEEDED_HEADERS = [
  ...["ETag", "Location", "Cache-Control", "Content-Security-Policy", "WWW-Authenticate"],
];

function parsed(text: string): unknown {
  return JSON.parse(text);
}

/** A parameter is a segment that is not empty. */
function patternOf(template: string): RegExp {
  const escaped = template.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\{\w+\}/g, "[^/]+")}$`);
}
