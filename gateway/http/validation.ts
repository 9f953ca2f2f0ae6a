import Type, { type Static, type TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { TLocalizedValidationError } from "typebox/error";
import Format from "typebox/format";
import { Settings } from "typebox/system";
import { isUuidV7 } from "../../engine/ids.ts";
import { VALIDATION_ERRORS_MAX } from "../../engine/limits.ts";
import { parseEmail } from "../identity/email.ts";
import type { HttpRequest } from "./exchange.ts";
import { parseJsonBody } from "./json-body.ts";
import { parsePlace } from "./place.ts";
import { ProblemError } from "./problem.ts";

/** One wrong field: where, in dots and brackets (`items[0].seat`), and what is wrong with it. */
export interface FieldError {
  /** "" is the body itself. */
  readonly path: string;
  /** Continues the path as a sentence: "must be a string". */
  readonly message: string;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/**
 * A schema compiled once. Members that it does not know are let pass, since clients evolve; `T`
 * does not have them, so nothing copies them.
 */
export type Check<T> = (value: unknown) => Checked<T>;

const INSTANT =
  /^\d{4}-\d\d-(\d\d)T(?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/i;
const CONTROL = /\p{Cc}/u;
const KEY = /^[\p{L}\p{M}\p{N}._-]{1,64}$/u;

/** The first and the last year that RFC 3339 can write, in UTC too; Unix ms. */
const INSTANT_MS_MIN = Date.parse("0000-01-01T00:00:00Z");
const INSTANT_MS_MAX = Date.parse("9999-12-31T23:59:59.999Z");

/** Whether RFC 3339 can write this time, Unix ms, in UTC. */
export const isWritable = (ms: number): boolean => ms >= INSTANT_MS_MIN && ms <= INSTANT_MS_MAX;

/** Date.parse takes 30 February for 1 March; this does not. */
function isInstant(text: string): boolean {
  const day = INSTANT.exec(text)?.[1];
  const ms = Date.parse(text);
  if (day === undefined || !isWritable(ms)) return false;
  return new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === Number(day);
}

/** An instant, or a local time, which is an instant without its offset. */
const isMoment = (text: string): boolean => isInstant(text) || isInstant(`${text}Z`);

/** An instant, or a day; whatever else Date.parse takes, it takes to be in the server's zone. */
const isTimeOrDay = (text: string): boolean => isInstant(text) || isInstant(`${text}T00:00Z`);

function isCurrency(text: string): boolean {
  return /^[A-Z]{3}$/.test(text) && Intl.supportedValuesOf("currency").includes(text);
}

function isTimezone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== "";
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Texts that schemas refer to with `{format}`, and how a person is told of them. */
const FORMATS: Readonly<Record<string, readonly [(text: string) => boolean, string]>> = {
  instant: [isInstant, "must be an RFC 3339 time with its offset, such as 2030-05-04T19:30:00Z"],
  moment: [
    isMoment,
    "must be an RFC 3339 time, such as 2030-05-04T19:30:00Z, or a local one: 2030-05-04T19:30",
  ],
  timeOrDay: [
    isTimeOrDay,
    "must be an RFC 3339 time, such as 2030-05-04T19:30:00Z (the + of an offset is %2B in a " +
      "query), or a day, such as 2030-05-04",
  ],
  percent: [
    (text) => /^\d{1,3}(?:\.\d{1,2})?$/.test(text) && Number(text) <= 100,
    'must be a percentage from 0 to 100 with at most two decimals, such as "2.5"',
  ],
  id: [isUuidV7, "must be an id (a UUIDv7 in lower case)"],
  email: [(text) => parseEmail(text) !== null, "must be an email address"],
  // Line breaks belong into descriptions, not into names.
  line: [(text) => text.trim() !== "" && !CONTROL.test(text), "must be a line of text"],
  // PostgreSQL keeps no text with NUL in it.
  text: [(text) => !text.includes("\0"), "must be text without NUL characters"],
  key: [(text) => KEY.test(text), "must be 1 to 64 letters, digits, dots, dashes or underscores"],
  currency: [isCurrency, "must be an ISO 4217 currency, such as EUR"],
  country: [(text) => /^[A-Z]{2}$/.test(text), "must be an ISO 3166 country, such as DE"],
  place: [
    (text) => parsePlace(text) !== null,
    "must be a latitude and a longitude, such as 52.5,13.4",
  ],
  timezone: [isTimezone, "must be an IANA time zone, such as Europe/Berlin"],
};

Settings.Set({ maxErrors: VALIDATION_ERRORS_MAX });
for (const [name, [test]] of Object.entries(FORMATS)) Format.Set(name, test);

/** @throws Error the schema names a format that nothing tests. */
export function compileSchema<Schema extends TSchema>(schema: Schema): Check<Static<Schema>> {
  for (const format of formatsIn(schema)) {
    if (!Object.hasOwn(FORMATS, format)) throw new Error(`no format is called ${format}`);
  }
  const validator = Compile(schema);
  return (value) => {
    // `Check` narrows to the schema's static type, under a name that the compiler can't follow.
    if (validator.Check(value)) return { ok: true, value: value as Static<Schema> };
    // The library looks at every item of a list, however long, to say what is wrong with each.
    const long = [...tooLongLists(schema, value, "")].slice(0, VALIDATION_ERRORS_MAX);
    const errors = long.length > 0 ? long : fieldErrors(schema, validator.Errors(value));
    return { ok: false, errors };
  };
}

function* formatsIn(part: unknown): Generator<string> {
  if (typeof part !== "object" || part === null) return;
  if ("type" in part && "format" in part && typeof part.format === "string") yield part.format;
  for (const inner of Object.values(part)) yield* formatsIn(inner);
}

function* tooLongLists(schema: unknown, value: unknown, path: string): Generator<FieldError> {
  if (!isRecord(schema)) return;
  const { anyOf, items, maxItems, properties } = schema;
  if (Array.isArray(anyOf)) for (const one of anyOf) yield* tooLongLists(one, value, path);
  if (Array.isArray(value)) {
    if (typeof maxItems === "number" && value.length > maxItems) {
      yield { path, message: `must not have more than ${maxItems} items` };
      return;
    }
    for (const [index, item] of value.entries()) {
      yield* tooLongLists(items, item, memberPath(path, String(index)));
    }
  } else if (isRecord(value) && isRecord(properties)) {
    for (const [name, member] of Object.entries(properties)) {
      if (Object.hasOwn(value, name)) {
        yield* tooLongLists(member, value[name], memberPath(path, name));
      }
    }
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** A member that may be absent or null. */
export const optional = <Schema extends TSchema>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

/** `/items/0/seat` → `items[0].seat` */
function pathOf(pointer: string): string {
  let path = "";
  for (const escaped of pointer.split("/").slice(1)) {
    path = memberPath(path, escaped.replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  return path;
}

/** The path of a member: `a.b`, `a[0]`, or `a["b c"]` where a dot would not do. */
export function memberPath(parent: string, member: string): string {
  if (/^\d+$/.test(member)) return `${parent}[${member}]`;
  if (!/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(member)) return `${parent}[${JSON.stringify(member)}]`;
  return parent === "" ? member : `${parent}.${member}`;
}

/** One error a place; of a nullable member only what its real type complains about. */
function fieldErrors(schema: TSchema, found: readonly TLocalizedValidationError[]): FieldError[] {
  const errors = new Map<string, string>();
  for (const error of found) {
    if (error.keyword === "type" && error.params.type === "null") continue;
    // Why a nullable member fits neither of its types is said by the errors inside it.
    if (error.keyword === "anyOf") continue;
    for (const [path, message] of explain(schema, error, found)) {
      if (!errors.has(path) && errors.size < VALIDATION_ERRORS_MAX) errors.set(path, message);
    }
  }
  return Array.from(errors, ([path, message]) => ({ path, message }));
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
};

/** Texts that are easily given as numbers: that they are texts is not all there is to know. */
const NUMBER_LIKE: Readonly<Record<string, string | undefined>> = {
  percent: 'must be a percentage as a text, from 0 to 100 with at most two decimals: "2.5"',
  moment: FORMATS.moment?.[1],
};

/** The format that the part of a schema at this pointer asks for; "": none. */
function formatAt(schema: TSchema, pointer: string): string {
  let part: unknown = schema;
  for (const escaped of pointer.split("/").slice(1)) {
    if (typeof part !== "object" || part === null) return "";
    part = Reflect.get(part, escaped.replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  if (typeof part !== "object" || part === null || !("format" in part)) return "";
  return typeof part.format === "string" ? part.format : "";
}

/** Whatever a place may be: each type that it could have complains on its own. */
function typesAt(pointer: string, found: readonly TLocalizedValidationError[]): string[] {
  const types = found.flatMap((error) =>
    error.keyword === "type" && error.instancePath === pointer ? error.params.type : [],
  );
  return [...new Set(types)].filter((type) => type !== "null");
}

function explain(
  schema: TSchema,
  error: TLocalizedValidationError,
  found: readonly TLocalizedValidationError[],
): (readonly [path: string, message: string])[] {
  const path = pathOf(error.instancePath);
  switch (error.keyword) {
    case "required":
      return error.params.requiredProperties.map(
        (name) => [memberPath(path, name), "is missing"] as const,
      );
    case "type": {
      const told = NUMBER_LIKE[formatAt(schema, error.schemaPath)];
      const types = typesAt(error.instancePath, found).map((type) => TYPE_NAMES[type] ?? type);
      return [[path, told ?? `must be ${types.join(" or ")}`]];
    }
    case "format":
      return [[path, FORMATS[error.params.format]?.[1] ?? error.message]];
    case "enum":
      return [[path, `must be one of ${error.params.allowedValues.join(", ")}`]];
    case "minimum":
      return [[path, `must be at least ${error.params.limit}`]];
    case "maximum":
      return [[path, `must be at most ${error.params.limit}`]];
    case "maxLength":
      return [[path, `must have at most ${error.params.limit} characters`]];
    default:
      return [[path, error.message]];
  }
}

/** The value of a body that must be JSON and pass the check; what refuses it is thrown. */
export function readBody<T>(check: Check<T>, request: HttpRequest): T {
  const body = parseJsonBody(request);
  if (!body.ok) throw new ProblemError(body.code, { detail: body.detail });
  const checked = check(body.value);
  if (!checked.ok) throw validationFailed(checked.errors);
  return checked.value;
}

/** At least one error. */
export function validationFailed(errors: readonly FieldError[]): ProblemError {
  const [first] = errors;
  const subject = first === undefined || first.path === "" ? "The body" : first.path;
  const others = errors.length - 1;
  const more = others < 1 ? "" : `; and ${others} more ${others === 1 ? "error" : "errors"}`;
  const detail = `${subject} ${first?.message ?? "is wrong"}${more}`;
  return new ProblemError("validation_failed", { detail, errors });
}
