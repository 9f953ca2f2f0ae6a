import type { Random } from "../../engine/testing/random.ts";
import type { JsonObject } from "../../gateway/openapi/json.ts";
import { isObject, memberAt } from "../support/answer-contract.ts";
import { hostileValue } from "./hostile-values.ts";

/** What fits a member of this name, in this request; null: nothing is known of it. */
export type Hints = (name: string) => unknown;

const TEXTS: Readonly<Record<string, string>> = {
  uuid: "01985a3c-7b10-7000-8a1c-5e07a4b1c2d3",
  email: "fuzz@example.org",
};
/** By the beginning of the pattern that stands for one of our formats. */
const BY_PATTERN: readonly (readonly [RegExp, string])[] = [
  [/^\^\\d\{4\}-\\d\\d-\\d\\dT/, "2031-05-04T19:30:00Z"],
  [/^\^\\d\{4\}/, "2031-05-04"],
  [/^\^\\d\{1,3\}/, "2.5"],
  [/^\^\[A-Z\]\{3\}/, "EUR"],
  [/^\^\[A-Z\]\{2\}/, "DE"],
  [/^\^\[A-Za-z\]/, "Europe/Berlin"],
  [/^\^\[\+-\]/, "52.5,13.4"],
];

/** Makes values out of the document's schemas. */
export class SchemaValues {
  readonly #document: JsonObject;
  readonly #random: Random;

  constructor(document: JsonObject, random: Random) {
    this.#document = document;
    this.#random = random;
  }

  /** A value that fits the schema, as far as a schema says. */
  valid(schema: unknown, hints: Hints, depth = 0): unknown {
    const known = this.#resolved(schema);
    const choice = known.anyOf ?? known.oneOf;
    if (Array.isArray(choice)) {
      // Of a member that may be null mostly what it is otherwise.
      const options = choice.filter((option) => memberAt(option, "type") !== "null");
      return this.#chance(0.1) ? null : this.valid(this.#random.pick(options), hints, depth);
    }
    if (known.const !== undefined) return known.const;
    if (Array.isArray(known.enum)) return this.#random.pick(known.enum);
    switch (known.type) {
      case "object":
        return this.#object(known, hints, depth);
      case "array":
        return this.#array(known, hints, depth);
      case "integer":
      case "number":
        return this.#number(known);
      case "boolean":
        return this.#chance(0.5);
      case "string":
        return this.#text(known);
      default:
        return hostileValue(this.#random);
    }
  }

  /** The value with one or two things about it changed. */
  nearlyValid(value: unknown): unknown {
    const copy: unknown = JSON.parse(JSON.stringify(value ?? null));
    const places = placesOf(copy);
    if (places.length === 0) return hostileValue(this.#random);
    for (let n = this.#random.below(2); n >= 0; n -= 1) this.#spoil(this.#random.pick(places));
    return copy;
  }

  #spoil({ holder, name }: Place): void {
    const roll = this.#random.next();
    if (roll < 0.15) Reflect.deleteProperty(holder, name);
    else if (roll < 0.3 && !Array.isArray(holder)) {
      const names = ["constructor", "prototype", "id", "toJSON", "length", "\u0000", "extra"];
      Reflect.set(holder, this.#random.pick(names), hostileValue(this.#random));
    } else if (roll < 0.35) {
      const kept: unknown = Reflect.get(holder, name);
      Reflect.set(
        holder,
        name,
        Array.from({ length: 150 }, () => kept),
      );
    } else Reflect.set(holder, name, hostileValue(this.#random));
  }

  #resolved(schema: unknown): JsonObject {
    if (!isObject(schema)) return {};
    const { $ref } = schema;
    if (typeof $ref !== "string") return schema;
    return this.#resolved(memberAt(this.#document, ...$ref.slice("#/".length).split("/")));
  }

  #object(schema: JsonObject, hints: Hints, depth: number): object {
    const { properties, required, additionalProperties } = schema;
    const needed = new Set(Array.isArray(required) ? required : []);
    const members: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(isObject(properties) ? properties : {})) {
      if (!needed.has(name) && this.#chance(depth > 3 ? 0.9 : 0.6)) continue;
      const hint = this.#chance(0.9) ? hints(name) : null;
      members[name] = hint ?? this.valid(member, hints, depth + 1);
    }
    if (isObject(additionalProperties)) {
      members[this.#random.pick(["Stalls", "Balcony", "other"])] = this.valid(
        additionalProperties,
        hints,
        depth + 1,
      );
    }
    return members;
  }

  #array({ items, minItems, maxItems }: JsonObject, hints: Hints, depth: number): unknown[] {
    const least = typeof minItems === "number" ? minItems : 0;
    const most = Math.min(typeof maxItems === "number" ? maxItems : 3, least + 3);
    const length = least + this.#random.below(most - least + 1);
    return Array.from({ length }, () => this.valid(items, hints, depth + 1));
  }

  #number({ minimum, maximum }: JsonObject): number {
    const least = typeof minimum === "number" ? minimum : 0;
    const most = typeof maximum === "number" ? maximum : 1_000;
    const roll = this.#random.next();
    if (roll < 0.1) return least;
    if (roll < 0.2) return most;
    return least + this.#random.below(Math.min(most - least, 10) + 1);
  }

  #text({ format, pattern, minLength, maxLength, examples }: JsonObject): string {
    if (Array.isArray(examples) && this.#chance(0.5)) return String(this.#random.pick(examples));
    const known = TEXTS[String(format)];
    if (known !== undefined) return known;
    const fitting = BY_PATTERN.find(([test]) => typeof pattern === "string" && test.test(pattern));
    if (fitting !== undefined) return fitting[1];
    const least = typeof minLength === "number" ? minLength : 1;
    const most = typeof maxLength === "number" ? maxLength : 40;
    const roll = this.#random.next();
    if (roll < 0.05) return "x".repeat(Math.min(most, 4_000));
    const word = this.#random.pick(["jazz", "Ünïcode 席", "a-b_c.d", "12345678", "x"]);
    return word.padEnd(least, "y").slice(0, Math.max(most, 1));
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }
}

interface Place {
  readonly holder: object;
  readonly name: string;
}

/** Every member of a value, however deep. */
function placesOf(value: unknown): Place[] {
  const places: Place[] = [];
  const open = [value];
  while (open.length > 0 && places.length < 500) {
    const holder = open.pop();
    if (typeof holder !== "object" || holder === null) continue;
    for (const [name, member] of Object.entries(holder)) {
      places.push({ holder, name });
      open.push(member);
    }
  }
  return places;
}
