/** Who is there, and what they have in common. */
import type { Random } from "../../engine/testing/random.ts";
import type { BookingShape, HoldShape } from "../support/shapes.ts";
import type { Ledger } from "./ledger.ts";
import type { Payer } from "./payer.ts";
import type { Question } from "./questions.ts";
import type { Person, Stage } from "./scenery.ts";
import type { Answer, Caller, Teller } from "./teller.ts";

export interface Crowd {
  readonly teller: Teller;
  readonly ledger: Ledger;
  readonly payer: Payer;
  readonly stages: readonly Stage[];
  /** Those who own their address, by it: bookings that are handed over to it are theirs. */
  readonly registered: Map<string, Visitor>;
}

/** A buyer, as the parts of a buyer and other buyers know one. */
export interface Visitor extends Caller {
  readonly crowd: Crowd;
  readonly person: Person;
  readonly random: Random;
  readonly holds: HoldShape[];
  freshKey(): string;
  stageOf(eventId: string): Stage;
  /** Asks for something that changes something; now and then twice at once. */
  change(question: Question): Promise<Answer | null>;
  /** A booking of theirs from now on: made, or handed over. */
  receive(booking: BookingShape): void;
}
