/**
 * What an order of one event's history has to explain:
 *
 *   steps that say their seq     what receipts name: known steps, one for each seq
 *   steps that do not            the end of every hold that was released or expired; each has a
 *                                window of seqs, and fills one of the gaps
 *   statements                   every answer, to be true somewhere in its window of time
 */
import { isDeepStrictEqual } from "node:util";
import { askedBy, earliestSeqOf, type Statement } from "./answers.ts";
import { boundEnds, type Look } from "./bounds.ts";
import { describeStep, type Step, timeOf } from "./event-spec.ts";
import type { EventRecord, History, OperationRecord } from "./history.ts";
import { latestEndMs } from "./hold-end.ts";
import type { PlannedEnd, PlannedStep, Window } from "./planned-step.ts";
import { isReceipt, type Receipt, type Told, toldBy } from "./told.ts";

export interface PlannedStatement extends Window {
  readonly statement: Statement;
  readonly seqMin: number;
  /** True at `seqMin` or never. */
  readonly isExact: boolean;
}

export interface Plan {
  readonly event: EventRecord;
  readonly known: ReadonlyMap<number, PlannedStep>;
  readonly ends: readonly PlannedEnd[];
  readonly statements: readonly PlannedStatement[];
  /** What no order could explain. */
  readonly faults: readonly string[];
}

interface Answered {
  readonly record: OperationRecord;
  readonly told: Told;
}

export function planOf(event: EventRecord, history: History): Plan {
  const faults: string[] = [];
  const answered: Answered[] = [];
  for (const record of history.operations) {
    if (record.eventId !== event.eventId) continue;
    const told = toldBy(record);
    if (typeof told !== "string") answered.push({ record, told });
    else faults.push(`${titleOf(record)}: ${told}`);
  }
  const known = knownSteps(answered, event, history.slackMs, faults);
  const ends = endsOf(answered, known, history);
  boundEnds({ ends, known, looks: looksOf(answered), event });
  const statements = answered.map(statementOf);
  return { event, known, ends, statements, faults };
}

function looksOf(answered: readonly Answered[]): Look[] {
  return answered.flatMap(({ told, record }) => {
    if (told.kind !== "availability") return [];
    const { invokedMs, answeredMs } = record;
    return [
      { ...told.availability, statuses: told.availability.statuses ?? "", invokedMs, answeredMs },
    ];
  });
}

function statementOf({ record, told }: Answered): PlannedStatement {
  const { user, operation, invokedMs, answeredMs } = record;
  const statement = { user, operation, told };
  return {
    statement,
    invokedMs,
    answeredMs,
    title: titleOf(record),
    seqMin: earliestSeqOf(statement) ?? 0,
    isExact: told.kind === "availability",
  };
}

export function titleOf({ n, user, operation, answer, invokedMs, answeredMs }: OperationRecord) {
  const asked = JSON.stringify(operation);
  const body = answer.body === null ? "" : ` ${JSON.stringify(answer.body)}`.slice(0, 300);
  const window = `[${invokedMs.toFixed(1)}, ${answeredMs.toFixed(1)}]`;
  return `operation ${n} ${window} of ${user}: ${asked} → ${answer.status}${body}`;
}

/** One step for each seq that receipts name. */
function knownSteps(
  answered: readonly Answered[],
  event: EventRecord,
  slackMs: number,
  faults: string[],
): Map<number, PlannedStep> {
  const bySeq = new Map<number, Answered[]>();
  for (const each of answered) {
    if (!isReceipt(each.told)) continue;
    const same = bySeq.get(each.told.seq);
    if (same === undefined) bySeq.set(each.told.seq, [each]);
    else same.push(each);
  }
  const steps = new Map<number, PlannedStep>();
  for (const [seq, claims] of bySeq) {
    const planned = stepOf(seq, claims);
    if (typeof planned === "string") {
      faults.push(planned);
      continue;
    }
    const atMs = timeOf(planned.step, event.holdTtlMs);
    const isInTime =
      atMs === null ||
      (planned.invokedMs - slackMs <= atMs && atMs <= planned.answeredMs + slackMs);
    if (!isInTime) faults.push(`${planned.title} happened at ${atMs}, when nobody asked for it`);
    steps.set(seq, planned);
  }
  return steps;
}

/**
 * The step behind all answers with this seq. It came after the first invocation of who was answered
 * with a first outcome, or else of anyone, and before anyone's answer.
 */
function stepOf(seq: number, claims: readonly Answered[]): PlannedStep | string {
  const [one] = claims;
  if (one === undefined || !isReceipt(one.told)) return `seq ${seq} has no receipt`;
  const differing = claims.find(({ told }) => !isDeepStrictEqual(told, one.told));
  if (differing !== undefined) {
    return `two outcomes have seq ${seq}: ${titleOf(one.record)}; ${titleOf(differing.record)}`;
  }
  const { record } = one;
  const isOther = claims.find((claim) => !mayShareOutcome(claim, one));
  if (isOther !== undefined) {
    return `two requests have one outcome: ${titleOf(record)}; ${titleOf(isOther.record)}`;
  }
  const firsts = claims.filter((claim) => !claim.record.answer.replayed);
  if (firsts.length > 1 && one.told.kind !== "cancelled") {
    return `seq ${seq} was twice the first outcome: ${titleOf(record)}`;
  }
  // A booking that was cancelled already is shown to whoever cancels it: such an answer is no
  // replay, though another request, which heard nothing when it cancelled, came first.
  const unheard = claims.filter(({ record }) => record.attempts > 1);
  const mayBeFirst = one.told.kind === "cancelled" ? [...firsts, ...unheard] : firsts;
  const askers = mayBeFirst.length > 0 ? mayBeFirst : claims;
  const step = knownStep(one.told, claims);
  return {
    step,
    invokedMs: Math.min(...askers.map((claim) => claim.record.invokedMs)),
    answeredMs: Math.min(...claims.map((claim) => claim.record.answeredMs)),
    title: `seq ${seq} (${describeStep(step)} by ${record.user})`,
  };
}

/** The same request under the same key; or any cancellation, as a booking is cancelled once. */
function mayShareOutcome(a: Answered, b: Answered): boolean {
  if (a.record.user !== b.record.user) return false;
  return a.told.kind === "cancelled" || isDeepStrictEqual(a.record.operation, b.record.operation);
}

function knownStep(told: Receipt, claims: readonly Answered[]): Step {
  const user = claims[0]?.record.user ?? "";
  const keys = new Map<string, string>();
  for (const { record } of claims) {
    const { operation } = record;
    if ("key" in operation) keys.set(operation.key, askedBy(operation));
  }
  const stepKeys = [...keys].map(([key, asked]) => ({ key, asked }));
  if ("hold" in told) return { kind: told.kind, user, keys: stepKeys, hold: told.hold };
  return { kind: told.kind, user, keys: stepKeys, booking: told.booking };
}

/** The ends of all holds that did not become bookings, without bounds yet. */
function endsOf(
  answered: readonly Answered[],
  known: ReadonlyMap<number, PlannedStep>,
  history: History,
): PlannedEnd[] {
  const releases = new Map<string, Answered[]>();
  for (const each of answered) {
    const { operation } = each.record;
    if (operation.kind !== "release" || each.told.kind !== "released") continue;
    releases.set(operation.holdId, [...(releases.get(operation.holdId) ?? []), each]);
  }
  const booked = new Set<string>();
  const holds = new Map<string, { expiresAtMs: number; user: string }>();
  for (const [, { step }] of [...known].sort(([a], [b]) => a - b)) {
    if (step.kind === "booked") booked.add(step.booking.holdId);
    if (step.kind !== "held" && step.kind !== "extended") continue;
    holds.set(step.hold.id, { expiresAtMs: Date.parse(step.hold.expiresAt), user: step.user });
  }
  return [...holds].flatMap(([holdId, { expiresAtMs, user }]): PlannedEnd[] => {
    if (booked.has(holdId)) return [];
    const common = {
      holdId,
      expiresAtMs,
      other: null,
      seqMin: 0,
      seqMax: Number.POSITIVE_INFINITY,
    };
    const expired: PlannedEnd = {
      ...common,
      step: { kind: "expired", holdId, expiresAtMs },
      likelyMs: expiresAtMs,
      invokedMs: expiresAtMs - history.slackMs,
      answeredMs: latestEndMs(expiresAtMs, history.outages) + history.slackMs,
      title: `the end of hold ${holdId}, due at ${expiresAtMs}`,
    };
    const asked = (releases.get(holdId) ?? []).filter(({ record }) => record.user === user);
    if (asked.length === 0) return [expired];
    const invokedMs = Math.min(...asked.map(({ record }) => record.invokedMs));
    const released: PlannedEnd = {
      ...common,
      step: { kind: "released", user, holdId },
      likelyMs: invokedMs,
      invokedMs,
      answeredMs: Math.min(...asked.map(({ record }) => record.answeredMs)),
      title: `the release of hold ${holdId}`,
    };
    if (asked.some(({ told }) => told.kind === "released")) return [released];
    released.other = expired;
    expired.other = released;
    return [released, expired];
  });
}
