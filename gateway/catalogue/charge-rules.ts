/** Fees and taxes as organisers write them: amounts in minor units, shares as decimal texts. */
import Type, { type Static } from "typebox";
import type { ChargeRules, FeeRule, TaxRule } from "../../engine/charges.ts";
import * as limits from "../../engine/limits.ts";
import { type FieldError, optional } from "../http/validation.ts";

const Name = Type.String({ format: "line", maxLength: limits.NAME_CHARS_MAX });
const Percent = Type.String({ format: "percent" });

const FeeBody = Type.Object({
  name: Name,
  fixed: optional(Type.Integer({ minimum: 0, maximum: limits.FEE_MINOR_MAX })),
  percent: optional(Percent),
});
export const FeesBody = Type.Array(FeeBody, { maxItems: limits.FEES_PER_EVENT_MAX });
export const TaxBody = Type.Object({ name: Name, percent: Percent, included: Type.Boolean() });

/** "2.5" is 250; whole and exact for every text of the format "percent". */
export function basisPointsOf(percent: string): number {
  const [whole = "", decimals = ""] = percent.split(".");
  return Number(whole) * 100 + Number(decimals.padEnd(2, "0"));
}

/** 250 is "2.5": the shortest text that `basisPointsOf` takes for it. */
export function percentOf(basisPoints: number): string {
  return String(basisPoints / 100);
}

/** What is wrong with the fees is noted; the result then is of no use. */
export function feesOf(fees: Static<typeof FeesBody>, errors: FieldError[]): FeeRule[] {
  return fees.map(({ name, fixed = null, percent = null }, index) => {
    if ((fixed === null) === (percent === null)) {
      errors.push({ path: `fees[${index}]`, message: "must have fixed or percent, one of them" });
    }
    if (percent === null) return { name: name.trim(), kind: "fixed", minor: fixed ?? 0 };
    return { name: name.trim(), kind: "percent", basisPoints: basisPointsOf(percent) };
  });
}

export function taxOf(tax: Static<typeof TaxBody> | null): TaxRule | null {
  if (tax === null) return null;
  const { name, percent, included } = tax;
  return { name: name.trim(), basisPoints: basisPointsOf(percent), included };
}

/** As they were written. */
export function chargesView({ fees, tax }: ChargeRules): object {
  return {
    fees: fees.map((fee) =>
      fee.kind === "fixed"
        ? { name: fee.name, fixed: fee.minor }
        : { name: fee.name, percent: percentOf(fee.basisPoints) },
    ),
    tax:
      tax === null
        ? null
        : { name: tax.name, percent: percentOf(tax.basisPoints), included: tax.included },
  };
}
