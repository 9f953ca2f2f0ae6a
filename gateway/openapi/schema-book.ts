import { isDeepStrictEqual } from "node:util";
import type { TSchema } from "typebox";
import { FORMAT_NOTES } from "./format-notes.ts";
import type { Json, JsonObject } from "./json.ts";

/** Two schemas have one name, or a schema can't be written as JSON. */
export class SchemaError extends Error {
  readonly code = "openapi_schema";
}

/**
 * Collects the schemas of a document. One with an `$id` stands among the components under that
 * name, and wherever it is used there is a reference.
 *
 * Invariant: a name stands for one schema.
 */
export class SchemaBook {
  readonly #named = new Map<string, JsonObject>();
  /** What was written before: many routes share a schema. */
  readonly #written = new WeakMap<object, JsonObject>();

  /** All that have a name, in the order of names. */
  get components(): JsonObject {
    const names = [...this.#named.keys()].sort();
    return Object.fromEntries(names.map((name) => [name, this.#named.get(name) ?? {}]));
  }

  /** The schema as the document has it, or a reference to it. */
  write(schema: TSchema): JsonObject {
    const known = this.#written.get(schema);
    if (known !== undefined) return known;
    const json: unknown = JSON.parse(JSON.stringify(schema));
    const written = this.#write(json);
    if (!isObject(written)) throw new SchemaError("a schema is an object");
    this.#written.set(schema, written);
    return written;
  }

  /** Gives a schema a name that it does not have itself. */
  name(name: string, schema: TSchema): JsonObject {
    return this.write({ ...schema, $id: name });
  }

  #write(json: unknown): Json {
    if (Array.isArray(json)) return json.map((item) => this.#write(item));
    if (!isUnknownObject(json)) return plain(json);
    const { $id, ...rest } = json;
    const written = withoutQuirks(
      Object.fromEntries(
        Object.entries(rest).map(([key, member]) => [
          key,
          // Values that are not schemas stay as they are.
          VERBATIM.has(key) ? plain(member) : this.#write(member),
        ]),
      ),
    );
    if (typeof $id !== "string") return written;
    const known = this.#named.get($id);
    if (known !== undefined && !isDeepStrictEqual(known, written)) {
      throw new SchemaError(`there are two schemas of the name ${$id}`);
    }
    this.#named.set($id, written);
    return { $ref: `#/components/schemas/${$id}` };
  }
}

const VERBATIM: ReadonlySet<string> = new Set(["enum", "const", "default", "examples", "required"]);

/** What typebox leaves out or says its own way, and what our formats mean. */
function withoutQuirks(schema: JsonObject): JsonObject {
  const { patternProperties, format, ...rest } = schema;
  const values = isObject(patternProperties) ? patternProperties["^.*$"] : undefined;
  const isWords = Array.isArray(rest.enum) && rest.enum.every((word) => typeof word === "string");
  return {
    ...(isWords ? { type: "string" } : {}),
    ...rest,
    ...(values === undefined ? {} : { additionalProperties: values }),
    ...(typeof format === "string" ? formatOf(format, rest) : {}),
  };
}

function formatOf(format: string, { description }: JsonObject): JsonObject {
  const note = FORMAT_NOTES[format];
  if (note === undefined) return { format };
  const { meaning, ...rest } = note;
  const said = typeof description === "string" ? `${description} ` : "";
  return meaning === undefined ? rest : { ...rest, description: `${said}${meaning}` };
}

function isUnknownObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isObject(value: Json | undefined): value is JsonObject {
  return isUnknownObject(value);
}

/** A value that came out of JSON.parse. */
export function plain(value: unknown): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return value;
  if (Array.isArray(value)) return value.map(plain);
  if (isUnknownObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  }
  throw new SchemaError(`${typeof value} is no JSON`);
}
