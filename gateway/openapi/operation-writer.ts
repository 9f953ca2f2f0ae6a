import { PROBLEMS, type ProblemCode } from "../http/problem-codes.ts";
import type { Json, JsonObject } from "./json.ts";
import { type AnswerBody, codesOf, type Operation } from "./operation.ts";
import { pathParameters } from "./path-parameters.ts";
import { problemContent, problemExample, problemName } from "./problem-schemas.ts";
import { plain, SchemaBook } from "./schema-book.ts";
import { RATE_LIMIT_HEADERS } from "./shared-parts.ts";

const RETRIED: ReadonlySet<ProblemCode> = new Set([
  "busy",
  "timeout",
  "rate_limited",
  "hold_churn",
]);

const JSON_TYPE = "application/json";

interface Told {
  readonly answer: AnswerBody | undefined;
  readonly codes: readonly ProblemCode[];
}

/**
 * Writes operations as OpenAPI has them, and keeps what they share: schemas, refusals that many
 * routes have alike, and an example of every code that one of them has.
 */
export class OperationWriter {
  readonly book = new SchemaBook();
  readonly #responses = new Map<string, JsonObject>();
  readonly #examples = new Map<string, JsonObject>();

  get components(): JsonObject {
    return {
      responses: Object.fromEntries(this.#responses),
      examples: Object.fromEntries(this.#examples),
      schemas: this.book.components,
    };
  }

  /** `key`: "METHOD /path/:param". */
  write(key: string, operation: Operation): JsonObject {
    const { id, tag, summary, description } = operation;
    const body = this.#requestBody(operation);
    return {
      operationId: id,
      tags: [tag],
      summary,
      description,
      security: securityOf(operation),
      parameters: this.#parametersOf(key, operation),
      ...(body === null ? {} : { requestBody: body }),
      responses: this.#responsesOf(key, operation),
    };
  }

  #parametersOf(key: string, operation: Operation): Json {
    const path = key.slice(key.indexOf(" ") + 1);
    const { query, headers = {}, key: idempotency, answers } = operation;
    const required = new Set(query?.required ?? []);
    const inQuery = Object.entries(query?.properties ?? {}).map(([name, schema]): JsonObject => {
      const { description, ...written } = this.book.write(schema);
      return {
        name,
        in: "query",
        required: required.has(name),
        ...(description === undefined ? {} : { description }),
        schema: written,
      };
    });
    const inHeader = Object.entries(headers).map(([name, description]) => {
      return { name, in: "header", description, schema: { type: "string" } };
    });
    const shared = [
      ...(idempotency === undefined ? [] : ["IdempotencyKey"]),
      ...(304 in answers ? ["IfNoneMatch"] : []),
      "RequestId",
    ];
    return [
      ...pathParameters(path),
      ...inQuery,
      ...inHeader,
      ...shared.map((name) => ({ $ref: `#/components/parameters/${name}` })),
    ];
  }

  #requestBody({ body, foreignBody, foreignTypes }: Operation): JsonObject | null {
    if (foreignBody !== undefined) {
      const types = Object.entries(foreignTypes ?? {}).map(([type, example]) => {
        return [type, { schema: {}, example: plain(example) }];
      });
      const content = foreignTypes ? Object.fromEntries(types) : { [JSON_TYPE]: { schema: {} } };
      return { description: foreignBody, required: true, content };
    }
    if (body === undefined) return null;
    const { name, schema, examples, isOptional = false } = body;
    const shown = Object.entries(examples).map(([title, value]) => {
      return [title, { value: plain(value) }];
    });
    const media = { schema: this.book.name(name, schema), examples: Object.fromEntries(shown) };
    return { required: !isOptional, content: { [JSON_TYPE]: media } };
  }

  #responsesOf(key: string, operation: Operation): JsonObject {
    const codes = new Map<number, ProblemCode[]>();
    for (const code of codesOf(key, operation)) {
      const [status] = PROBLEMS[code];
      codes.set(status, [...(codes.get(status) ?? []), code]);
    }
    const statuses = [...codes.keys(), ...Object.keys(operation.answers).map(Number)];
    const responses = [...new Set(statuses)]
      .sort((a, b) => a - b)
      .map((status) => {
        const told = { answer: operation.answers[status], codes: codes.get(status) ?? [] };
        return [String(status), this.#responseOrReference(key, operation, told)];
      });
    const hasRefusal = [...codes.keys()].some((status) => status >= 400 && status < 500);
    // Whoever can't be refused by us can still send what is no HTTP.
    const unread = { "4XX": { description: "The request can't be read; there is no body." } };
    return { ...Object.fromEntries(responses), ...(hasRefusal ? {} : unread) };
  }

  /** A refusal for one reason is the same wherever it occurs. */
  #responseOrReference(key: string, operation: Operation, told: Told): JsonObject {
    const [only, ...others] = told.codes;
    const response = this.#response(key, operation, told);
    if (told.answer !== undefined || only === undefined || others.length > 0) return response;
    const name = `${problemName(only)}${isLimited(key) ? "" : "Unlimited"}`;
    this.#responses.set(name, response);
    return { $ref: `#/components/responses/${name}` };
  }

  #response(key: string, operation: Operation, { answer, codes }: Told): JsonObject {
    const titles = codes.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}.`);
    const content = {
      ...(answer === undefined ? {} : this.#answerContent(answer)),
      ...(codes.length === 0 ? {} : problemContent(codes, this.book)),
    };
    for (const code of codes) {
      if (!this.#examples.has(code)) this.#examples.set(code, problemExample(code));
    }
    const isReplayable = operation.key !== undefined && answer !== undefined;
    const names = [
      "X-Request-Id",
      ...(answer?.headers ?? []),
      ...(isReplayable ? ["Idempotent-Replayed"] : []),
      ...(codes.some((code) => RETRIED.has(code)) ? ["Retry-After"] : []),
      ...(codes.some((code) => PROBLEMS[code][0] === 401) ? ["WWW-Authenticate"] : []),
      ...(isLimited(key) ? RATE_LIMIT_HEADERS : []),
    ];
    const headers = names.map((name) => [name, { $ref: `#/components/headers/${name}` }]);
    return {
      description: [...(answer === undefined ? [] : [answer.description]), ...titles].join("\n\n"),
      headers: Object.fromEntries(headers),
      ...(Object.keys(content).length === 0 ? {} : { content }),
    };
  }

  #answerContent({ schema, example, contentTypes = [JSON_TYPE] }: AnswerBody): JsonObject {
    if (schema === undefined) return {};
    const shown = example === undefined ? {} : { example: plain(example) };
    const media = { schema: this.book.write(schema), ...shown };
    return Object.fromEntries(contentTypes.map((type) => [type, media]));
  }
}

const isLimited = (key: string): boolean => key.includes(" /api/v1/");

function securityOf({ access }: Operation): Json {
  switch (access) {
    case "public":
      return [];
    case "optional":
      return [{}, { accessToken: [] }];
    case "user":
      return [{ accessToken: [] }];
    case "operator":
      return [{ accessToken: [] }, { opsToken: [] }];
  }
}
