/** Which of an organisation's customers are meant: a tree of criteria. */
import Type, { type Static, type TSchema } from "typebox";
import {
  SEGMENT_CRITERIA_MAX,
  SEGMENT_DEPTH_MAX,
  SEGMENT_NAMES_MAX,
  SEGMENT_TIMES_MAX,
} from "../../engine/campaign-limits.ts";
import { NAME_CHARS_MAX } from "../../engine/limits.ts";
import { RADIUS_KM_MAX } from "../../engine/search-limits.ts";
import { type Check, compileSchema, type FieldError, memberPath } from "../http/validation.ts";

const Names = Type.Array(Type.String({ format: "line", maxLength: NAME_CHARS_MAX }), {
  minItems: 1,
  maxItems: SEGMENT_NAMES_MAX,
});
const Instant = Type.String({ format: "instant" });
const Id = Type.String({ format: "id" });
const Minor = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const maybe = Type.Optional;

/** Whatever one criterion says, all of it has to hold of one and the same event. */
const Attended = Type.Object({
  kind: Type.Literal("attended"),
  how: maybe(Type.Enum(["booked", "checked_in"])),
  atLeast: maybe(Type.Integer({ minimum: 1, maximum: SEGMENT_TIMES_MAX })),
  from: maybe(Instant),
  to: maybe(Instant),
  categories: maybe(Names),
  tags: maybe(Names),
  cities: maybe(Names),
  near: maybe(Type.String({ format: "place" })),
  radiusKm: maybe(Type.Number({ exclusiveMinimum: 0, maximum: RADIUS_KM_MAX })),
});
const Spent = Type.Object({
  kind: Type.Literal("spent"),
  currency: Type.String({ format: "currency" }),
  atLeast: maybe(Minor),
  atMost: maybe(Minor),
  from: maybe(Instant),
  to: maybe(Instant),
});
const Bought = Type.Object({ kind: Type.Enum(["bought", "not_bought"]), eventId: Id });
const Engaged = Type.Object({ kind: Type.Enum(["opened", "clicked"]), campaignId: Id });

export type AttendedCriterion = Static<typeof Attended>;
export type SpentCriterion = Static<typeof Spent>;
export type Leaf =
  | AttendedCriterion
  | SpentCriterion
  | Static<typeof Bought>
  | Static<typeof Engaged>;
export type Segment =
  | Leaf
  | { readonly kind: "all" | "any"; readonly of: readonly Segment[] }
  | { readonly kind: "not"; readonly of: Segment };

const LEAVES: Readonly<Record<Leaf["kind"], TSchema>> = {
  attended: Attended,
  spent: Spent,
  bought: Bought,
  not_bought: Bought,
  opened: Engaged,
  clicked: Engaged,
};
const CHECKS = new Map<string, Check<unknown>>(
  Object.entries(LEAVES).map(([kind, schema]) => [kind, compileSchema(schema)]),
);
const KINDS = [...Object.keys(LEAVES), "all", "any", "not"] as const;

/** As the document has it: what else a criterion says depends on its kind. */
export const SegmentBody = Type.Object(
  { kind: Type.Enum([...KINDS]) },
  {
    additionalProperties: true,
    description: [
      "Which people who have booked at the organisation are meant, by `kind`:",
      "`attended` {how?: `booked` or `checked_in`, atLeast?: 1, from?, to?, categories?, tags?, " +
        "cities?, near?, radiusKm?}: so many events, each of which began in that time, in one of " +
        "these categories, with one of these tags, in one of these cities, around there.",
      "`spent` {currency, atLeast?, atMost?, from?, to?}: minor units, of what was booked then.",
      "`bought`, `not_bought` {eventId}.",
      "`opened`, `clicked` {campaignId}: an earlier campaign.",
      "`all`, `any` {of: [segments]}, `not` {of: segment}.",
    ].join("\n\n"),
  },
);

interface Reading {
  readonly errors: FieldError[];
  count: number;
}

/**
 * The segment, or what is wrong with it, with paths under `path`. Everything at once, but for what
 * is too deep or too much.
 */
export function parseSegment(
  value: unknown,
  path: string,
): { readonly segment: Segment } | { readonly errors: readonly FieldError[] } {
  const reading: Reading = { errors: [], count: 0 };
  const segment = read(value, path, 1, reading);
  return segment === null ? { errors: reading.errors } : { segment };
}

function read(value: unknown, path: string, depth: number, reading: Reading): Segment | null {
  const refuse = (at: string, message: string): null => {
    reading.errors.push({ path: at, message });
    return null;
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse(path, "must be an object with a kind");
  }
  const kind: unknown = "kind" in value ? value.kind : undefined;
  const of: unknown = "of" in value ? value.of : undefined;
  if (typeof kind !== "string" || !KINDS.includes(kind)) {
    return refuse(memberPath(path, "kind"), `must be one of ${KINDS.join(", ")}`);
  }
  reading.count += 1;
  if (reading.count > SEGMENT_CRITERIA_MAX) {
    return reading.count > SEGMENT_CRITERIA_MAX + 1
      ? null
      : refuse(path, `is one criterion too many: there may be ${SEGMENT_CRITERIA_MAX}`);
  }
  if (kind !== "all" && kind !== "any" && kind !== "not") return leaf(value, path, kind, reading);
  if (depth >= SEGMENT_DEPTH_MAX) {
    return refuse(path, `is too deep: ${SEGMENT_DEPTH_MAX} levels are enough`);
  }
  const inner = memberPath(path, "of");
  if (kind === "not") {
    const negated = read(of, inner, depth + 1, reading);
    return negated === null ? null : { kind, of: negated };
  }
  if (!Array.isArray(of) || of.length === 0) {
    return refuse(inner, "must be a list of at least one segment");
  }
  const parts: Segment[] = [];
  for (const [index, one] of of.entries()) {
    // Of a list with thousands nothing more is said.
    if (reading.count > SEGMENT_CRITERIA_MAX) return null;
    const part = read(one, memberPath(inner, String(index)), depth + 1, reading);
    if (part !== null) parts.push(part);
  }
  return parts.length === of.length ? { kind, of: parts } : null;
}

function leaf(value: object, path: string, kind: string, { errors }: Reading): Leaf | null {
  const checked = CHECKS.get(kind)?.(value);
  if (checked === undefined || !checked.ok) {
    for (const error of checked?.errors ?? []) {
      const inner = error.path.startsWith("[") || error.path === "" ? error.path : `.${error.path}`;
      errors.push({ path: `${path}${inner}`, message: error.message });
    }
    return null;
  }
  const found = own(checked.value as Leaf);
  const fault = contradiction(found);
  if (fault === null) return found;
  errors.push({ path: memberPath(path, fault[0]), message: fault[1] });
  return null;
}

/** What the schemas can't say. */
function contradiction(found: Leaf): readonly [member: string, message: string] | null {
  if (found.kind !== "attended" && found.kind !== "spent") return null;
  const { from, to } = found;
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to)) {
    return ["to", "must be after from"];
  }
  if (found.kind === "attended") {
    const isRadius = found.radiusKm !== undefined;
    if (isRadius !== (found.near !== undefined)) {
      return isRadius ? ["radiusKm", "needs near"] : ["near", "needs radiusKm"];
    }
    return null;
  }
  const { atLeast, atMost } = found;
  if (atLeast === undefined && atMost === undefined) return ["atLeast", "or atMost is missing"];
  if (atLeast !== undefined && atMost !== undefined && atLeast > atMost) {
    return ["atMost", "must not be less than atLeast"];
  }
  return null;
}

/** Only members that the kind has: others would be kept for nothing. */
function own(found: Leaf): Leaf {
  const schema = LEAVES[found.kind];
  const names = "properties" in schema ? Object.keys(schema.properties as object) : [];
  return Object.fromEntries(Object.entries(found).filter(([name]) => names.includes(name))) as Leaf;
}

/** Events and campaigns that a segment names, with where it does so. */
export function namedIn(
  segment: Segment,
  path: string,
): { readonly kind: "event" | "campaign"; readonly id: string; readonly path: string }[] {
  switch (segment.kind) {
    case "all":
    case "any":
      return segment.of.flatMap((part, index) => namedIn(part, `${path}.of[${index}]`));
    case "not":
      return namedIn(segment.of, `${path}.of`);
    case "bought":
    case "not_bought":
      return [{ kind: "event", id: segment.eventId, path: `${path}.eventId` }];
    case "opened":
    case "clicked":
      return [{ kind: "campaign", id: segment.campaignId, path: `${path}.campaignId` }];
    case "attended":
    case "spent":
      return [];
  }
}
