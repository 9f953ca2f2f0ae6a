/** Looks at everything once more when nobody asks for anything any more. */
import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient } from "../support/client.ts";
import type { AuditShape, AvailabilityShape, BookingShape } from "../support/shapes.ts";
import { checkBookings, type Outcome } from "./booking-checks.ts";
import { type ProbeReport, probeCounters } from "./counter-probes.ts";
import type { Crowd } from "./crowd.ts";
import type { Customer } from "./customer.ts";
import { type LogEntry, read, readLog, readPages } from "./event-log.ts";
import { answersAgain, diff, isOutcome, plain } from "./ledger.ts";
import { checkMoney, type MoneyReport, readBooks } from "./money-checks.ts";
import { checkPlaces, checkPrice } from "./place-checks.ts";
import * as ask from "./questions.ts";
import type { Stage } from "./scenery.ts";
import type { Caller, Faults, Teller } from "./teller.ts";

export interface VerdictAsk {
  readonly api: ApiClient;
  readonly crowd: Crowd;
  readonly customers: readonly Customer[];
  readonly organiser: Caller;
  readonly fresh: Caller;
  /** null: nobody may see it here, and what needs it is not checked. */
  readonly opsToken: string | null;
  readonly databaseUrl: string | null;
  readonly log: (line: string) => void;
}

export interface VerdictReport {
  readonly bookings: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly tickets: number;
  readonly logEntries: number;
  readonly audits: number;
  readonly keysRepeated: number;
  readonly holdsLookedAt: number;
  readonly listsRead: number;
  /** null: the provider's books were out of reach. */
  readonly money: MoneyReport | null;
  readonly probes: ProbeReport;
}

const AT_ONCE = 48;
const SETTLED_MS_MAX = 150_000;
const KEYS_REPEATED_MAX = 4_000;
const HOLDS_LOOKED_AT_MAX = 4_000;
const HISTORIES_READ_MAX = 400;

export async function verdictOf(given: VerdictAsk): Promise<VerdictReport> {
  const { crowd, log } = given;
  const { faults } = crowd.teller;
  const outcomes = await settledOutcomes(given);
  log("everything has come to its end; checking");
  for (const outcome of outcomes) {
    checkBookings(outcome, crowd.ledger, faults);
    await checkPlacesOf(given, outcome);
    checkPrices(outcome, faults);
  }
  const money =
    given.databaseUrl === null
      ? null
      : checkMoney(outcomes, await readBooks(given.databaseUrl), { ledger: crowd.ledger, faults });
  await checkHistories(given, outcomes);
  const audits = await auditAll(given);
  const keysRepeated = await repeatKeys(given, outcomes);
  const holdsLookedAt = await lookAtHolds(given);
  const ownerOf = ownersOf(given, outcomes);
  const listsRead = await readLists(given, outcomes, ownerOf);
  const probes = { promoCodes: 0, customers: 0 };
  for (const outcome of outcomes) {
    const { fresh, organiser, customers } = given;
    const owner = (booking: BookingShape): Caller | null => ownerOf.get(booking.id) ?? null;
    const ports = { teller: crowd.teller, fresh, organiser, customers };
    const { promoCodes, customers: probed } = await probeCounters(outcome, owner, ports);
    probes.promoCodes += promoCodes;
    probes.customers += probed;
  }
  await auditAll(given);
  const bookings = outcomes.flatMap((outcome) => outcome.bookings);
  const byStatus: Record<string, number> = {};
  for (const { status } of bookings) byStatus[status] = (byStatus[status] ?? 0) + 1;
  return {
    bookings: bookings.length,
    byStatus,
    tickets: bookings.reduce((sum, { tickets }) => sum + tickets.length, 0),
    logEntries: outcomes.reduce((sum, outcome) => sum + outcome.log.length, 0),
    audits,
    keysRepeated,
    holdsLookedAt,
    listsRead,
    money,
    probes,
  };
}

/** Every event when no hold is left, no money is awaited and none is to go back. */
async function settledOutcomes(given: VerdictAsk): Promise<Outcome[]> {
  const { teller, stages } = given.crowd;
  const giveUpMs = Date.now() + SETTLED_MS_MAX;
  const outcomes: Outcome[] = [];
  for (const stage of stages) {
    for (let held = -1; held !== 0 && Date.now() < giveUpMs; ) {
      if (held > 0) await delay(250);
      held = (await availabilityOf(teller, stage)).held;
    }
    let unsettled: string[] = ["unread"];
    const known = new Map<string, BookingShape>();
    let log: LogEntry[] = [];
    while (unsettled.length > 0 && Date.now() < giveUpMs) {
      log = await readLog(teller, given.organiser, stage);
      const made = new Set(log.flatMap(({ bookingId }) => bookingId ?? []));
      const open = [...made].filter((id) => {
        const booking = known.get(id);
        return booking === undefined || !isSettled(booking);
      });
      await inParallel(open, async (id) => {
        const booking = await read(teller, given.organiser, ask.booking(id));
        if (booking !== null) known.set(id, booking as BookingShape);
      });
      unsettled = [...known.values()].filter((each) => !isSettled(each)).map(({ id }) => id);
      if (unsettled.length > 0) await delay(300);
    }
    // The log, too, is to be that of the end.
    log = await readLog(teller, given.organiser, stage);
    const last = new Map(log.map(({ bookingId, seq }) => [bookingId, seq]));
    await inParallel([...known.values()], async ({ id, seq }) => {
      if (last.get(id) === seq) return;
      const booking = await read(teller, given.organiser, ask.booking(id));
      if (booking !== null) known.set(id, booking as BookingShape);
    });
    outcomes.push({ stage, log, bookings: [...known.values()] });
  }
  return outcomes;
}

const isSettled = ({ status, payment }: BookingShape): boolean =>
  status !== "pending_payment" &&
  (payment?.refunds ?? []).every((refund) => refund.status !== "due");

async function availabilityOf(teller: Teller, { eventId }: Stage): Promise<AvailabilityShape> {
  const availability = await read(teller, undefined, ask.availability(eventId));
  if (availability === null) throw new Error(`nobody says what is free of ${eventId}`);
  return availability as AvailabilityShape;
}

async function checkPlacesOf({ crowd }: VerdictAsk, outcome: Outcome): Promise<void> {
  const { teller, ledger } = crowd;
  const { stage } = outcome;
  const availability = await availabilityOf(teller, stage);
  checkPlaces(outcome, availability, { ledger, faults: teller.faults });
  for (const watcher of stage.watchers) {
    for (let tries = 0; tries < 40 && !watcher.hasSeen(availability); tries += 1) await delay(50);
    watcher.compare(availability);
  }
}

function checkPrices({ stage, bookings }: Outcome, faults: Faults): void {
  const isTaxIncluded = stage.name === "standing" || stage.name === "both";
  for (const { id, tickets } of bookings) {
    for (const ticket of tickets) {
      const wrong = checkPrice(ticket, isTaxIncluded);
      if (wrong !== null) faults.add(`${stage.name}: ${JSON.stringify(ticket)} of ${id}: ${wrong}`);
    }
  }
}

/** What a booking's own history says is what the event's log says. */
async function checkHistories(
  { crowd, organiser }: VerdictAsk,
  outcomes: readonly Outcome[],
): Promise<void> {
  const { teller } = crowd;
  for (const { bookings, log } of outcomes) {
    await inParallel(bookings.slice(-HISTORIES_READ_MAX / 4), async ({ id }) => {
      const body = await read(teller, organiser, ask.history(id));
      const { data } = (body ?? { data: [] }) as { data: LogEntry[] };
      const logged = log.filter((entry) => entry.bookingId === id);
      const brief = (entries: readonly LogEntry[]): string =>
        entries.map(({ seq, change }) => `${change} at ${seq}`).join(", ");
      teller.faults.check(
        brief(data) === brief(logged),
        () => `booking ${id}'s history is ${brief(data)}, the log says ${brief(logged)}`,
      );
    });
  }
}

/** Memory and database of every event must agree; answers how many were asked. */
async function auditAll({ api, crowd, opsToken }: VerdictAsk): Promise<number> {
  if (opsToken === null) return 0;
  const { faults } = crowd.teller;
  for (const { eventId, name } of crowd.stages) {
    const reply = await api.get<AuditShape>(`/ops/events/${eventId}/audit`, { token: opsToken });
    const { ok, drift } = reply.body;
    faults.check(reply.status === 200 && ok, () => `${name}: the audit drifts: ${drift}`);
  }
  return crowd.stages.length;
}

/** Every question that had an outcome has it again. */
async function repeatKeys({ crowd }: VerdictAsk, outcomes: readonly Outcome[]): Promise<number> {
  const { teller, ledger } = crowd;
  const changes = new Set(
    outcomes.flatMap(({ log }) => {
      const ours = log.filter(({ change }) => change === "cancelled" || change === "transferred");
      return ours.map(({ bookingId, seq }) => `${bookingId} ${seq}`);
    }),
  );
  // What changed nothing then may change something now.
  const kept = ledger.kept.filter((each) => isOutcome(each, changes));
  const step = Math.max(1, Math.floor(kept.length / KEYS_REPEATED_MAX));
  const some = kept.filter((_, n) => n % step === 0);
  await inParallel(some, async (kept) => {
    const { caller, question } = kept;
    const again = await teller.ask(caller, { ...question, kind: "again" }, answersAgain(kept));
    ledger.checkRepeated(kept, again);
  });
  return some.length;
}

/** Every hold that anybody was given has ended, and its owner is told how. */
async function lookAtHolds({ crowd }: VerdictAsk): Promise<number> {
  const { teller, ledger } = crowd;
  const step = Math.max(1, Math.floor(ledger.holds.size / HOLDS_LOOKED_AT_MAX));
  const some = [...ledger.holds.values()].filter((_, n) => n % step === 0);
  const ends = ["410 hold_expired", "410 hold_released", "409 hold_booked", "409 event_cancelled"];
  await inParallel(some, async ({ caller, hold }) => {
    await teller.ask(caller, { ...ask.getHold(hold.id), kind: "hold.end" }, ends);
  });
  return some.length;
}

/** Whose each booking is: who was handed it last, or who made it. */
function ownersOf({ crowd }: VerdictAsk, outcomes: readonly Outcome[]): Map<string, Caller | null> {
  const owners = new Map<string, Caller | null>();
  for (const { bookings, log } of outcomes) {
    for (const { id, holdId } of bookings) {
      owners.set(id, crowd.ledger.holds.get(holdId)?.caller ?? null);
    }
    for (const { change, bookingId, email = "" } of log) {
      if (change !== "transferred" || bookingId === null) continue;
      owners.set(bookingId, crowd.registered.get(email) ?? null);
    }
  }
  return owners;
}

/** Everybody's list has the bookings that are theirs, as they are, and no others. */
async function readLists(
  { crowd, customers }: VerdictAsk,
  outcomes: readonly Outcome[],
  ownerOf: ReadonlyMap<string, Caller | null>,
): Promise<number> {
  const { teller } = crowd;
  const mine = new Map<Caller, Map<string, BookingShape>>();
  for (const booking of outcomes.flatMap(({ bookings }) => bookings)) {
    const owner = ownerOf.get(booking.id) ?? null;
    if (owner === null) continue;
    const theirs = mine.get(owner) ?? new Map<string, BookingShape>();
    mine.set(owner, theirs.set(booking.id, booking));
  }
  await inParallel(customers, async (customer) => {
    const listed = await readPages<BookingShape>(teller, customer, ask.bookings);
    const theirs = mine.get(customer) ?? new Map<string, BookingShape>();
    const { faults } = teller;
    const counts = `${listed.length} bookings listed, ${theirs.size} made`;
    faults.check(listed.length === theirs.size, () => `${customer.name} has ${counts}`);
    for (const booking of listed) {
      const known = theirs.get(booking.id);
      faults.check(
        known !== undefined && diff(plain(booking), plain(known)) === "",
        () => `${customer.name}'s list has ${booking.id}: ${diff(booking, known ?? {})}`,
      );
    }
  });
  return customers.length;
}

async function inParallel<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<unknown>,
): Promise<void> {
  const queue = [...items];
  const work = async (): Promise<void> => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
