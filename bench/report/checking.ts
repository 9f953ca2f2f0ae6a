import type { Check } from "./report.ts";

export const check = (name: string, ok: boolean, detail: string): Check => ({ name, ok, detail });

/** A check whose name is true when the two are equal. */
export function equals(name: string, found: number, wanted: number): Check {
  const ok = found === wanted;
  return { name, ok, detail: ok ? String(found) : `${found}, and not ${wanted}` };
}

/** Nothing was answered but what is wanted. */
export function statusCheck(
  what: string,
  statuses: Readonly<Record<string, number>>,
  wanted: readonly number[],
): Check {
  const others = Object.entries(statuses).filter(([status]) => !wanted.includes(Number(status)));
  const said = others.map(([status, count]) => `${count} × ${status}`).join(", ");
  const name = `${what} are all answered by ${wanted.join(" or ")}`;
  return { name, ok: others.length === 0, detail: said === "" ? "no other answer" : said };
}
