/** What the gateway's thread and the notifier's say to each other. */
import type { EventId } from "../../engine/ids.ts";
import type { ThreadVitals } from "../../workers/thread-vitals.ts";
import type { Config } from "../config.ts";
import type { DeadLetter, LetterPage } from "./dead-letters.ts";
import type { Lane } from "./job.ts";
import type { LaneLoad } from "./job-queue.ts";
import type { LaneFigures } from "./lane.ts";

export interface NotifierThreadData {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly jwtSecret: string;
  readonly apiUrl: string;
}

export interface LaneReport extends LaneFigures, LaneLoad {}

export interface NotifierFigures {
  readonly lanes: readonly LaneReport[];
  /** Entries of the outbox that wait, at most OUTBOX_COUNTED_MAX, and since when, in ms. */
  readonly outbox: { readonly waiting: number; readonly oldestMs: number };
  readonly deadLetters: Readonly<Record<string, number>>;
  /** It makes room for the sale. */
  readonly isHoldingBack: boolean;
  /** Of its parts, by name. */
  readonly parts: Readonly<Record<string, number>>;
  readonly vitals: ThreadVitals;
}

export type OperatorsQuestion =
  | { readonly ask: "pause" | "resume"; readonly lane: Lane }
  | ({ readonly ask: "letters" } & LetterPage)
  | { readonly ask: "letter" | "drop" | "resend"; readonly letterId: string }
  | { readonly ask: "resendLane"; readonly lane: Lane };

/** By `ask`: nothing, letters, a letter, whether there was one, how many. */
export type OperatorsAnswer = readonly DeadLetter[] | DeadLetter | boolean | number | null;

export type ToNotifier =
  | { readonly kind: "question"; readonly id: number; readonly question: OperatorsQuestion }
  | { readonly kind: "whenTold"; readonly id: number; readonly isStored: boolean }
  | { readonly kind: "stop" };

export type FromNotifier =
  | { readonly kind: "ready" }
  | { readonly kind: "whenTold"; readonly id: number; readonly eventId: EventId }
  | { readonly kind: "stopped" }
  | { readonly kind: "figures"; readonly figures: NotifierFigures }
  | {
      readonly kind: "answer";
      readonly id: number;
      readonly answer: OperatorsAnswer;
      /** "": none. */
      readonly failure: string;
    }
  | {
      readonly kind: "log";
      readonly level: "info" | "warn" | "error";
      readonly fields: object;
      readonly message: string;
    };
