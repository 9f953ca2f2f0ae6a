import type { Cancelled, Fact } from "../../engine/facts.ts";
import type { UserId } from "../../engine/ids.ts";
import { type PlaceItem, totalMinor } from "../../engine/place.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type {
  ActorReport,
  Answer,
  AuditReport,
  InventoryView,
  Operation,
} from "../../workers/shard-messages.ts";
import { differences, shown } from "./differences.ts";
import { type Circumstances, type Expected, expectedOf, possibleTimes } from "./expectations.ts";
import { areasOf, type ModelState } from "./model-state.ts";
import { keptKeyCounts } from "./snapshot-check.ts";

/** What is wrong with an answer, as sentences; []: it is true in this state. */
export function untruthsOf(
  state: ModelState,
  operation: Operation,
  answer: Answer,
  when: Circumstances,
): string[] {
  return [
    ...untruthsOfAnswer(state, operation, answer, when),
    ...needlessFacts(state, answer, when),
  ].map((sentence) => `${operation.kind} at seq ${state.seq}: ${sentence}`);
}

function untruthsOfAnswer(
  state: ModelState,
  operation: Operation,
  answer: Answer,
  when: Circumstances,
): string[] {
  if (answer.kind === "failed") return ["it failed: a bug was contained"];
  if (answer.kind === "refused" && answer.refusal.code === "busy") return [];
  // An audit is answered about the seq of the rows, which may be older than the state.
  if (operation.kind !== "audit") {
    const { fromMs, toMs } = possibleTimes(state, when);
    if (fromMs > toMs) {
      return [
        `it was decided from ${when.fromMs} to ${when.toMs}, but possible is only to ${toMs}`,
      ];
    }
  }
  if (answer.kind === "done" && !answer.replayed) {
    return untruthsOfDone(state, operation, answer.fact, when);
  }
  return untruthsAmong(state, answer, expectedOf(state, operation, when), when);
}

/** Everything that is no fresh outcome must be one of what is expected. */
function untruthsAmong(
  state: ModelState,
  answer: Answer,
  expected: readonly Expected[],
  when: Circumstances,
): string[] {
  const tries = expected.map((each) => untruthsAgainst(state, answer, each, when));
  if (tries.some((untruths) => untruths.length === 0)) return [];
  const ofSameKind = expected.findIndex((each) => isSameKind(answer, each));
  // Where just one answer of this kind would be true, its details are worth telling.
  const details = expected.length === 1 ? tries[ofSameKind] : undefined;
  if (details !== undefined) return details;
  const truths = expected.map(shownExpected).join(" or ");
  return [`the answer ${shownAnswer(answer)} is not true, but ${truths} would be`];
}

function isSameKind(answer: Answer, expected: Expected): boolean {
  if (answer.kind === "done") return expected.kind === (answer.replayed ? "replay" : "repeat");
  return answer.kind === expected.kind;
}

/** [""]: it is of another kind. */
function untruthsAgainst(
  state: ModelState,
  answer: Answer,
  expected: Expected,
  when: Circumstances,
): string[] {
  if (!isSameKind(answer, expected)) return [""];
  switch (answer.kind) {
    case "refused":
      if (expected.kind !== "refused") return [""];
      return differences("the refusal", answer.refusal, expected.refusal);
    case "done":
      if (!("fact" in expected)) return [""];
      return differences("the outcome", answer.fact, expected.fact);
    case "hold":
      if (expected.kind !== "hold") return [""];
      return differences("the hold", answer.hold, expected.hold);
    case "view":
      return untruthsOfView(state, answer.view);
    case "actor":
      return untruthsOfActor(state, answer.report, when);
    case "audit":
      return untruthsOfAudit(state, answer.report);
    case "unchanged":
    case "failed":
      return [];
    default:
      return unreachable(answer);
  }
}

function shownAnswer(answer: Answer): string {
  if (answer.kind === "refused") return shown(answer.refusal);
  return answer.kind === "done" ? shown(answer) : `"${answer.kind}"`;
}

function shownExpected(expected: Expected): string {
  if (expected.kind === "refused") return shown(expected.refusal);
  return "fact" in expected ? `${expected.kind} of seq ${expected.fact.seq}` : `"${expected.kind}"`;
}

/** An outcome that the operation itself brought about: its fact is the last one. */
function untruthsOfDone(
  state: ModelState,
  operation: Operation,
  fact: Fact,
  when: Circumstances,
): string[] {
  if (operation.kind === "cancel" && !isFresh(state, operation, fact, when)) {
    return untruthsOfRepeat(state, operation, fact, when);
  }
  const last = state.facts[state.seq - 1];
  if (last === undefined || fact.seq !== last.seq) {
    return [`its outcome has seq ${fact.seq} and is not the last fact`];
  }
  const untruths = differences("the outcome", fact, last);
  if (fact.atMs < when.fromMs || fact.atMs > when.toMs) {
    untruths.push(`its outcome is of ${fact.atMs}, not from ${when.fromMs} to ${when.toMs}`);
  }
  if (fact.seq <= (when.beforeSeq ?? 0)) untruths.push(`its outcome at seq ${fact.seq} is not new`);
  return [...untruths, ...unaskedIn(state, operation, last)];
}

type CancelCommand = Extract<Operation, { kind: "cancel" }>;

/** Whether this cancellation is the operation's own, or one before it that it is told again. */
function isFresh(
  state: ModelState,
  operation: CancelCommand,
  fact: Fact,
  { beforeSeq }: Circumstances,
): boolean {
  if (beforeSeq !== undefined) return fact.seq > beforeSeq;
  return fact.seq === state.seq && unaskedIn(state, operation, fact).length === 0;
}

function untruthsOfRepeat(
  state: ModelState,
  operation: CancelCommand,
  fact: Fact,
  when: Circumstances,
): string[] {
  const expected = expectedOf(state, operation, when).map((each) =>
    each.kind === "repeat" ? { ...each, fact: asRemembered(state, each.fact, fact, when) } : each,
  );
  return untruthsAmong(state, { kind: "done", fact, replayed: false }, expected, when);
}

/** Rows do not tell under which key a booking was cancelled: an actor built from them forgot it. */
function asRemembered(state: ModelState, truth: Fact, told: Fact, when: Circumstances): Fact {
  const mayForget = when.forgetful === true || truth.seq <= state.reloadedSeq;
  return mayForget && told.key === null ? { ...truth, key: null } : truth;
}

/** What in the fact is not what the operation asked for. */
function unaskedIn(state: ModelState, operation: Operation, fact: Fact): string[] {
  const asked = askedOf(operation);
  if (asked === null) return ["it is no request to change anything"];
  if (fact.kind !== asked.kind) return [`its outcome is ${fact.kind}, not ${asked.kind}`];
  const unasked = differences("the outcome's key", fact.key, asked.key);
  const contents = differences("what it brought about", contentsOf(fact), asked.contents);
  return [...unasked, ...contents, ...unlawfulIn(state, operation, fact)];
}

interface Asked {
  readonly kind: Fact["kind"];
  readonly key: Fact["key"];
  readonly contents: unknown;
}

function askedOf(operation: Operation): Asked | null {
  switch (operation.kind) {
    case "configure":
      return { kind: "configured", key: null, contents: operation.definition };
    case "hold": {
      const { holdId, userId, places, key } = operation;
      return { kind: "held", key, contents: { holdId, userId, places } };
    }
    case "extend": {
      const { holdId, userId, key } = operation;
      return { kind: "extended", key, contents: { holdId, userId } };
    }
    case "release": {
      const { holdId, userId } = operation;
      return { kind: "holdEnded", key: null, contents: { holdId, userId, reason: "released" } };
    }
    case "book": {
      const { holdId, userId, bookingId, email, code, key } = operation;
      return { kind: "booked", key, contents: { holdId, userId, bookingId, email, code } };
    }
    case "cancel": {
      const { bookingId, userId: cancelledBy, reason, key } = operation;
      return { kind: "cancelled", key, contents: { bookingId, cancelledBy, reason } };
    }
    case "getHold":
    case "watch":
    case "unwatch":
    case "inspect":
    case "audit":
      return null;
    default:
      return unreachable(operation);
  }
}

/** The part of a fact that its request determines. */
function contentsOf(fact: Fact): unknown {
  switch (fact.kind) {
    case "configured":
      return fact.definition;
    case "held": {
      const { holdId, userId, items } = fact;
      return { holdId, userId, places: placesIn(items) };
    }
    case "extended":
      return { holdId: fact.holdId, userId: fact.userId };
    case "holdEnded":
      return { holdId: fact.holdId, userId: fact.userId, reason: fact.reason };
    case "booked": {
      const { holdId, userId, bookingId, email, code } = fact.booking;
      return { holdId, userId, bookingId, email, code };
    }
    case "cancelled": {
      const { cancelledBy, reason } = fact;
      return { bookingId: fact.booking.bookingId, cancelledBy, reason };
    }
    default:
      return unreachable(fact);
  }
}

const placesIn = (items: readonly PlaceItem[]): number[] => items.map((item) => item.place);

/** What only request and outcome together tell: who may cancel, who may owe, whose codes. */
function unlawfulIn(state: ModelState, operation: Operation, fact: Fact): string[] {
  if (operation.kind === "book" && fact.kind === "booked") {
    const { items, ticketCodes } = fact.booking;
    const codes = operation.ticketCodes.slice(0, items.length);
    const unlawful = differences("the tickets' codes", ticketCodes, codes);
    const owed = totalMinor(items);
    if (owed > 0 && !operation.invoiceAllowed) unlawful.push(`${owed} is owed, but may not be`);
    return unlawful;
  }
  if (operation.kind === "cancel" && fact.kind === "cancelled") {
    const owner = ownerOf(state, fact);
    if (operation.asOrganizer || owner === operation.userId) return [];
    return [`the booking of ${owner} was cancelled by ${operation.userId}`];
  }
  return [];
}

function ownerOf(state: ModelState, { booking }: Cancelled): UserId {
  return state.bookings.get(booking.bookingId)?.record.userId ?? booking.userId;
}

/** Only a fresh outcome is a fact of the request; beside it, holds that were due have ended. */
function needlessFacts(state: ModelState, answer: Answer, { beforeSeq }: Circumstances): string[] {
  if (beforeSeq === undefined) return [];
  const outcome = answer.kind === "done" && !answer.replayed ? answer.fact.seq : null;
  return state.facts
    .slice(beforeSeq, state.seq)
    .filter((fact) => fact.seq !== outcome)
    .filter((fact) => !(fact.kind === "holdEnded" && fact.reason === "expired"))
    .map(
      (fact) => `it is answered "${answer.kind}", but ${fact.kind} at seq ${fact.seq} is its own`,
    );
}

/** The epoch is the shard's; this model knows nothing of it. */
function untruthsOfView(state: ModelState, view: InventoryView): string[] {
  const { seq, definition, statuses, areas } = view;
  const shownStatuses = Array.from(statuses, (byte) => String.fromCharCode(byte)).join("");
  return [
    ...differences("the view's seq", seq, state.seq),
    ...differences("the view's definition", definition, state.definition),
    ...differencesOfLetters(shownStatuses, state.seats),
    ...differences("the view's areas", areas, areasOf(state)),
  ];
}

function differencesOfLetters(statuses: string, seats: readonly string[]): string[] {
  return differences("the view's seats", [...statuses], seats);
}

/** How many keys are remembered beyond their time is the engine's business, and so is its hash. */
function untruthsOfActor(state: ModelState, report: ActorReport, when: Circumstances): string[] {
  const { seq, configured, holds, bookings, keys } = report;
  const told = { seq, configured, holds, bookings };
  const untruths = differences("the report", told, {
    seq: state.seq,
    configured: state.definition !== null,
    holds: state.holds.size,
    bookings: state.bookings.size,
  });
  const { keptMin, keptMax } = keptKeyCounts(state, when.toMs);
  if (keys < keptMin || keys > keptMax) {
    untruths.push(`the report has ${keys} keys, not from ${keptMin} to ${keptMax}`);
  }
  return untruths;
}

/** The counts are comparable only when the audit was made at the seq of this state. */
function untruthsOfAudit(state: ModelState, report: AuditReport): string[] {
  const untruths = report.drift.map((sentence) => `the audit found that ${sentence}`);
  if (!report.ok) untruths.push("the audit is not ok");
  if (report.seq > state.seq) untruths.push(`the audit is of seq ${report.seq}, which never was`);
  if (report.seq !== state.seq) return untruths;
  const { free, held, sold } = state.placed;
  const standing = [...state.bookings.values()].filter(({ cancelled }) => cancelled === null);
  const expected = {
    seq: state.seq,
    capacity: free + held + sold,
    free,
    held,
    sold,
    blocked: 0,
    holds: state.holds.size,
    bookings: standing.length,
  };
  for (const side of ["memory", "database"] as const) {
    const { hash: _, ...counts } = report[side];
    untruths.push(...differences(`the audit's ${side}`, counts, expected));
  }
  return untruths;
}
