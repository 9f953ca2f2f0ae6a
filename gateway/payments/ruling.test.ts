import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PaymentOutcome } from "./payment-provider.ts";
import { type IntentStatus, type RuledIntent, rulingOf } from "./ruling.ts";

const ASKED: RuledIntent = {
  provider: "stripe",
  providerRef: "pi_1",
  amountMinor: 4_500,
  currency: "EUR",
  status: "open",
  isSettled: false,
};

type Said = PaymentOutcome | "other amount" | "other currency";

function rule(status: IntentStatus, isSettled: boolean, said: Said): string {
  const isMoney = said === "other amount" || said === "other currency";
  const ruling = rulingOf({ ...ASKED, status, isSettled }, "stripe", {
    outcome: isMoney ? "succeeded" : said,
    amountMinor: said === "other amount" ? 45 : 4_500,
    currency: said === "other currency" ? "USD" : "EUR",
    providerRef: "pi_1",
  });
  if (ruling.kind === "putAway") return ruling.result;
  return ruling.kind === "settle" ? ruling.status : ruling.kind;
}

const SAID: readonly Said[] = ["succeeded", "other amount", "other currency", "failed", "canceled"];

/** Every state an intent can be in, against everything that can be said of it. */
const TABLE: readonly (readonly [IntentStatus, boolean, readonly string[]])[] = [
  ["open", false, ["succeeded", "giveBack", "giveBack", "failed", "canceled"]],
  ["failed", false, ["succeeded", "giveBack", "giveBack", "failed", "failed"]],
  ["failed", true, ["succeeded", "giveBack", "giveBack", "known", "known"]],
  ["canceled", false, ["succeeded", "giveBack", "giveBack", "canceled", "canceled"]],
  ["canceled", true, ["succeeded", "giveBack", "giveBack", "known", "known"]],
  ["succeeded", false, ["succeeded", "mismatch", "mismatch", "outdated", "outdated"]],
  ["succeeded", true, ["known", "mismatch", "mismatch", "outdated", "outdated"]],
  ["mismatch", false, ["mismatch", "giveBack", "giveBack", "outdated", "outdated"]],
  ["mismatch", true, ["mismatch", "mismatch", "mismatch", "outdated", "outdated"]],
];

describe("rulingOf", () => {
  for (const [status, isSettled, expected] of TABLE) {
    const known = isSettled ? "and known" : "not yet known";
    it(`knows what each message means to an intent that is ${status}, ${known}`, () => {
      assert.deepEqual(
        SAID.map((said) => rule(status, isSettled, said)),
        expected,
      );
    });
  }

  it("puts away what was never asked for, or not from this provider, or not under this id", () => {
    const event = { outcome: "succeeded", amountMinor: 4_500, currency: "EUR" } as const;
    const foreign = { kind: "putAway", result: "foreign" };
    assert.deepEqual(rulingOf(null, "stripe", { ...event, providerRef: "pi_1" }), foreign);
    assert.deepEqual(rulingOf(ASKED, "sandbox", { ...event, providerRef: "pi_1" }), foreign);
    assert.deepEqual(rulingOf(ASKED, "stripe", { ...event, providerRef: "pi_2" }), foreign);
  });

  it("believes a message about an intent whose provider's id was not stored any more", () => {
    const intent = { ...ASKED, providerRef: null };
    const event = { outcome: "succeeded", amountMinor: 4_500, currency: "EUR" } as const;
    const ruling = rulingOf(intent, "stripe", { ...event, providerRef: "pi_1" });
    assert.deepEqual(ruling, { kind: "settle", status: "succeeded" });
  });
});
