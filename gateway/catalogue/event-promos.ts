import Type, { type Static } from "typebox";
import * as limits from "../../engine/limits.ts";
import { normalizePromoCode, type PromoDefinition } from "../../engine/promo-codes.ts";
import { type FieldError, optional } from "../http/validation.ts";
import { basisPointsOf, percentOf } from "./charge-rules.ts";
import type { MomentReader } from "./local-time.ts";

const Uses = optional(Type.Integer({ minimum: 0, maximum: limits.PROMO_USES_MAX }));
const Moment = optional(Type.String({ format: "moment" }));

/** The promo codes of an event as an organiser writes them. */
export const PromosBody = Type.Array(
  Type.Object({
    code: Type.String({ format: "line" }),
    percent: optional(Type.String({ format: "percent" })),
    amount: optional(Type.Integer({ minimum: 0, maximum: limits.PRICE_MINOR_MAX })),
    categories: optional(
      Type.Array(Type.String(), { minItems: 1, maxItems: limits.CATEGORIES_PER_EVENT_MAX }),
    ),
    from: Moment,
    until: Moment,
    uses: Uses,
    usesPerUser: Uses,
  }),
  { maxItems: limits.PROMO_CODES_PER_EVENT_MAX },
);
type PromoBody = Static<typeof PromosBody>[number];

/** A promo code as the engine has it, but with the keys of its categories. */
export interface EventPromo extends Omit<PromoDefinition, "categories"> {
  readonly categories: readonly string[] | null;
}

export interface PromoContext {
  /** Of the event's price categories. */
  readonly keys: ReadonlySet<string>;
  readonly moments: MomentReader;
  readonly errors: FieldError[];
}

/** What is wrong with the codes is noted; the result then is of no use. */
export function promosOf(promos: readonly PromoBody[], context: PromoContext): EventPromo[] {
  const known = new Set<string>();
  return promos.map((body, index) => {
    const path = `promoCodes[${index}]`;
    const promo = promoOf(body, path, context);
    if (known.has(promo.code)) {
      const message = `is "${promo.code}", as an earlier one is`;
      context.errors.push({ path: `${path}.code`, message });
    }
    known.add(promo.code);
    return promo;
  });
}

function promoOf(body: PromoBody, path: string, context: PromoContext): EventPromo {
  const { keys, moments, errors } = context;
  const { percent = null, amount = null, categories = null } = body;
  const code = normalizePromoCode(body.code);
  if (code === null) {
    const message = `must have 1 to ${limits.PROMO_CODE_CHARS_MAX} visible characters`;
    errors.push({ path: `${path}.code`, message });
  }
  if ((percent === null) === (amount === null)) {
    errors.push({ path, message: "must have percent or amount, one of them" });
  }
  for (const [index, key] of (categories ?? []).entries()) {
    if (keys.has(key)) continue;
    const message = `is "${key}", which no price category has as its key`;
    errors.push({ path: `${path}.categories[${index}]`, message });
  }
  const fromMs = moments.read(`${path}.from`, body.from, "earlier");
  const untilMs = moments.read(`${path}.until`, body.until, "later");
  if (fromMs !== null && untilMs !== null && untilMs <= fromMs) {
    errors.push({ path: `${path}.until`, message: "must be after from" });
  }
  const rest = {
    categories: categories === null ? null : [...new Set(categories)],
    fromMs,
    untilMs,
    usesMax: body.uses ?? null,
    usesPerUserMax: body.usesPerUser ?? null,
  };
  return percent === null
    ? { code: code ?? body.code, kind: "amount", value: amount ?? 0, ...rest }
    : { code: code ?? body.code, kind: "percent", value: basisPointsOf(percent), ...rest };
}

/** For the eyes of the organisation's members: whoever knows a code may use it. */
export function promoView(promo: EventPromo): object {
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    code: promo.code,
    ...(promo.kind === "percent" ? { percent: percentOf(promo.value) } : { amount: promo.value }),
    categories: promo.categories,
    from: iso(promo.fromMs),
    until: iso(promo.untilMs),
    uses: promo.usesMax,
    usesPerUser: promo.usesPerUserMax,
  };
}
