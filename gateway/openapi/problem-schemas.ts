import Type, { type TSchema } from "typebox";
import { PROBLEMS, type ProblemCode } from "../http/problem-codes.ts";
import { PROBLEM_MEMBERS } from "../http/problem-members.ts";
import type { Json, JsonObject } from "./json.ts";
import type { SchemaBook } from "./schema-book.ts";

/** seat_unavailable: SeatUnavailableProblem */
export function problemName(code: ProblemCode): string {
  const words = code.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join("")}Problem`;
}

const schemas = new Map<ProblemCode, TSchema>();

/** The schema of a code's problems, with an example of them. */
function problemSchema(code: ProblemCode): TSchema {
  const schema = schemas.get(code) ?? madeSchema(code);
  schemas.set(code, schema);
  return schema;
}

function madeSchema(code: ProblemCode): TSchema {
  const [status, title] = PROBLEMS[code];
  return Type.Object(
    {
      type: Type.Literal(`/problems/${code}`),
      title: Type.String({ examples: [title] }),
      status: Type.Literal(status),
      code: Type.Literal(code),
      detail: Type.String({ description: "What happened this time.", examples: [title] }),
      requestId: Type.String({
        description: "As in `X-Request-Id`; over WebSockets there is none.",
        examples: ["01985b00-8e80-7000-8183-c507a4b1c2d3"],
      }),
      ...PROBLEM_MEMBERS[code],
    },
    { $id: problemName(code), description: `${title}.` },
  );
}

/** Of all problems of one status that an operation may answer with; examples by reference. */
export function problemContent(codes: readonly ProblemCode[], book: SchemaBook): JsonObject {
  const written = codes.map((code) => book.write(problemSchema(code)));
  const [only] = written;
  const examples = codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]);
  const mapping = codes.map((code, index) => [code, written[index]?.$ref ?? ""]);
  const schema: JsonObject =
    written.length === 1 && only !== undefined
      ? only
      : {
          oneOf: written,
          discriminator: { propertyName: "code", mapping: Object.fromEntries(mapping) },
        };
  return { "application/problem+json": { schema, examples: Object.fromEntries(examples) } };
}

export function problemExample(code: ProblemCode): JsonObject {
  return { summary: PROBLEMS[code][1], value: exampleOf(problemSchema(code)) };
}

/** A value that fits one of our own schemas: what it says itself, or the simplest there is. */
function exampleOf(schema: TSchema): Json {
  return sample(JSON.parse(JSON.stringify(schema)));
}

function sample(schema: unknown): Json {
  if (typeof schema !== "object" || schema === null) return null;
  const known = schema as {
    readonly const?: Json;
    readonly examples?: readonly Json[];
    readonly enum?: readonly Json[];
    readonly type?: string;
    readonly format?: string;
    readonly minimum?: number;
    readonly items?: unknown;
    readonly required?: readonly string[];
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  const stated = known.const ?? known.examples?.[0] ?? known.enum?.[0];
  if (stated !== undefined) return stated;
  switch (known.type) {
    case "object": {
      const members = (known.required ?? []).map((name) => [
        name,
        sample(known.properties?.[name]),
      ]);
      return Object.fromEntries(members);
    }
    case "array":
      return [sample(known.items)];
    case "integer":
    case "number":
      return known.minimum ?? 0;
    case "boolean":
      return true;
    default:
      return SAMPLE_TEXTS[known.format ?? ""] ?? "text";
  }
}

const SAMPLE_TEXTS: Readonly<Record<string, string>> = {
  id: "01985b00-5b50-7000-8e50-9207a4b1c2d3",
  "date-time": "2030-05-04T17:30:00.000Z",
  currency: "EUR",
};
