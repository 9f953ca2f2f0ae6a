/** Senseless and forbidden questions, each with the one answer that it deserves. */
import type { Visitor } from "./crowd.ts";
import * as ask from "./questions.ts";
import type { Caller } from "./teller.ts";

const NOBODY = "0197f3c9-7b10-7005-8aaa-aa07a4b1c2d3";

interface Meddling {
  readonly question: ask.Question;
  readonly expected: string;
  /** Default: the customer. */
  readonly caller?: Caller;
}

export async function meddle(customer: Visitor): Promise<void> {
  const { random, crowd } = customer;
  const tries = [...senseless(customer), ...forbidden(customer)];
  const { question, expected, caller = customer } = random.pick(tries);
  await crowd.teller.ask(caller, question, [expected]);
}

function senseless(customer: Visitor): Meddling[] {
  const { random, crowd } = customer;
  const { eventId } = random.pick(crowd.stages);
  const key = customer.freshKey();
  const wish = (items: readonly object[]) => ask.hold(eventId, { items }, key);
  const invalid = "400 validation_failed";
  const stranger: Caller = { name: "stranger", token: "", prefersLive: false, live: null };
  return [
    { question: wish([{ seat: "nowhere" }]), expected: "400 unknown_seat" },
    { question: wish([{ area: "roof", quantity: 1 }]), expected: "400 unknown_area" },
    {
      question: wish([{ bestAvailable: { quantity: 1, category: "royal" } }]),
      expected: "400 unknown_category",
    },
    { question: wish([]), expected: invalid },
    { question: wish([{ area: "floor", quantity: -1 }]), expected: invalid },
    { question: wish([{ area: "floor", quantity: 1.5 }]), expected: invalid },
    {
      question: ask.hold(NOBODY, { items: [{ seat: "x" }] }, key),
      expected: "404 event_not_found",
    },
    { question: ask.getHold(NOBODY), expected: "404 hold_not_found" },
    { question: ask.release(NOBODY), expected: "404 hold_not_found" },
    { question: ask.cancel(NOBODY, {}, key), expected: "404 booking_not_found" },
    { question: ask.join(eventId, { quantity: 0 }, key), expected: invalid },
    { question: wish([{ seat: "x" }]), expected: "401 unauthenticated", caller: stranger },
    { question: ask.happen(NOBODY, "succeed"), expected: "404 intent_not_found" },
  ];
}

/** What is another's does not exist, and what is the organiser's is not allowed. */
function forbidden(customer: Visitor): Meddling[] {
  const { random, crowd } = customer;
  const { eventId } = random.pick(crowd.stages);
  const key = customer.freshKey();
  const tries: Meddling[] = [
    { question: ask.inventory(eventId, { block: [] }), expected: "403 forbidden" },
    { question: ask.patchEvent(eventId, { title: "Mine" }), expected: "403 forbidden" },
    { question: ask.cancelEvent(eventId), expected: "403 forbidden" },
    { question: ask.checkIn(eventId, { ticketCode: "x" }, key), expected: "403 forbidden" },
    { question: ask.waitlist(eventId), expected: "403 forbidden" },
    { question: ask.log(eventId, null), expected: "403 forbidden" },
  ];
  const other = someoneElsesHold(customer);
  if (other === null) return tries;
  const expected = "404 hold_not_found";
  const booking = {
    eventId: other.eventId,
    holdId: other.id,
    provider: "none",
    email: "x@example.org",
  } as const;
  return [
    ...tries,
    { question: ask.getHold(other.id), expected },
    { question: ask.release(other.id), expected },
    { question: ask.extend(other.id, key), expected },
    { question: ask.book(booking, key), expected },
  ];
}

function someoneElsesHold(customer: Visitor) {
  const { registered } = customer.crowd;
  for (const other of registered.values()) {
    const [hold] = other.holds;
    if (other !== customer && hold !== undefined) return hold;
  }
  return null;
}
