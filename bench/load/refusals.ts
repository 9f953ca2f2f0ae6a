/** What a refusal says, as far as a load has to know whether it may. */
const CODE = /"code":"([a-z_]+)"/;

/** The code of a problem; "": it has none. */
export const codeOf = (body: string): string => CODE.exec(body)?.[1] ?? "";

/** Ids of the seats that a refusal names. */
export function seatsIn(body: string): string[] {
  const [, list = ""] = /"seats":\[([^\]]*)\]/.exec(body) ?? [];
  return [...list.matchAll(/"([^"]+)"/g)].map(([, id = ""]) => id);
}

/** Asks to come again. Events of the bench know no churn of holds: who says so refuses for good. */
export const isBusy = (status: number, body: string): boolean =>
  status === 503 || (status === 429 && codeOf(body) !== "hold_churn");
