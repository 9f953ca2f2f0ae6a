import type { Fact } from "../../engine/facts.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type {
  ActorReport,
  Answer,
  AuditReport,
  InventoryView,
  Operation,
} from "../../workers/shard-messages.ts";
import { unaskedIn } from "./asked.ts";
import { untruthsOfChoice } from "./choice-check.ts";
import { differences, shown } from "./differences.ts";
import { expectedOf, possibleTimes } from "./expectations.ts";
import type { Circumstances, Expected } from "./expected.ts";
import { isByItself } from "./fact-rules.ts";
import { areasOf, type ModelState, statusIn } from "./model-state.ts";
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
  const expected = expectedOf(state, operation, when);
  const choice = untruthsOfChoice(state, operation, answer, expected);
  return choice ?? untruthsAmong(state, answer, expected, when);
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
  return answer.kind === "done" ? expected.kind === "replay" : answer.kind === expected.kind;
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
    case "booking":
      if (expected.kind !== "booking") return [""];
      return differences("the booking", answer.booking, expected.booking);
    case "waiting": {
      if (expected.kind !== "waiting") return [""];
      const { entry, position } = answer;
      const told = { kind: "waiting", entry, position };
      return differences("it", told, expected);
    }
    case "waitlist":
      return expected.kind === "waitlist" ? untruthsOfLine(state, answer, expected) : [""];
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

type LineOf<Kind extends { readonly kind: string }> = Extract<Kind, { kind: "waitlist" }>;

function untruthsOfLine(
  state: ModelState,
  { seq, count, line }: LineOf<Answer>,
  expected: LineOf<Expected>,
): string[] {
  const withoutReasons = expected.line.map(({ reasons: _, ...waiting }) => waiting);
  const told = line.map(({ reason: _, ...waiting }) => waiting);
  const wrong = line.flatMap(({ reason }, at) => {
    const reasons = expected.line[at]?.reasons ?? [];
    return reasons.includes(reason) ? [] : [`"${reason}" is not why number ${at + 1} waits`];
  });
  return [
    ...differences("the line's seq", seq, state.seq),
    ...differences("how many wait", count, expected.count),
    ...differences("the line", told, withoutReasons),
    ...wrong,
  ];
}

function shownAnswer(answer: Answer): string {
  if (answer.kind === "refused") return shown(answer.refusal);
  return answer.kind === "done" ? shown(answer) : `"${answer.kind}"`;
}

function shownExpected(expected: Expected): string {
  if (expected.kind === "refused") return shown(expected.refusal);
  return "fact" in expected ? `${expected.kind} of seq ${expected.fact.seq}` : `"${expected.kind}"`;
}

/** An outcome that the operation itself brought about; what happens by itself comes behind it. */
function untruthsOfDone(
  state: ModelState,
  operation: Operation,
  fact: Fact,
  when: Circumstances,
): string[] {
  const own = state.facts[fact.seq - 1];
  const later = state.facts.slice(fact.seq, state.seq);
  if (own === undefined || fact.seq > state.seq || !later.every(isByItself)) {
    return [`its outcome has seq ${fact.seq} and is not the last fact`];
  }
  const untruths = differences("the outcome", fact, own);
  if (fact.atMs < when.fromMs || fact.atMs > when.toMs) {
    untruths.push(`its outcome is of ${fact.atMs}, not from ${when.fromMs} to ${when.toMs}`);
  }
  if (fact.seq <= (when.beforeSeq ?? 0)) untruths.push(`its outcome at seq ${fact.seq} is not new`);
  return [...untruths, ...unaskedIn(state, operation, own)];
}

/** Only a fresh outcome is a fact of the request; beside it is what happens by itself. */
function needlessFacts(state: ModelState, answer: Answer, { beforeSeq }: Circumstances): string[] {
  if (beforeSeq === undefined) return [];
  const outcome = answer.kind === "done" && !answer.replayed ? answer.fact.seq : null;
  return state.facts
    .slice(beforeSeq, state.seq)
    .filter((fact) => fact.seq !== outcome && !isByItself(fact))
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
  const { free, held, sold, blocked } = state.placed;
  const standing = [...state.bookings.values()].filter(
    ({ record }) => statusIn(record) === "confirmed",
  );
  const expected = {
    seq: state.seq,
    capacity: free + held + sold + blocked,
    free,
    held,
    sold,
    blocked,
    holds: state.holds.size,
    bookings: standing.length,
  };
  for (const side of ["memory", "database"] as const) {
    const { hash: _, ...counts } = report[side];
    untruths.push(...differences(`the audit's ${side}`, counts, expected));
  }
  return untruths;
}
