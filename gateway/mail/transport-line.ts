import CircuitBreaker from "opossum";
import {
  MAIL_BREAKER_FAILURE_PERCENT,
  MAIL_BREAKER_PAUSE_MS,
  MAIL_BREAKER_WINDOW_MS,
} from "../../engine/notifier-limits.ts";
import type { Handover } from "./handover.ts";
import { failureOf, isServersFailure, type MailFailure } from "./mail-failure.ts";
import type { MailTransport, MailWay, WrittenMail } from "./mail-transport.ts";

export type Delivery =
  | { readonly taken: true; readonly transport: string }
  /** `transport` is the last that was asked; null: none was up. */
  | { readonly taken: false; readonly transport: string | null; readonly failure: MailFailure };

type Attempt = [mail: WrittenMail, handover: Handover, way: MailWay];

interface Place {
  readonly transport: MailTransport;
  readonly breaker: CircuitBreaker<Attempt, void>;
}

/**
 * The transports in the order in which they are asked: the backup when the primary can't be. Each
 * is behind a circuit breaker: where servers fail, mails do not wait for them one by one.
 *
 * Invariant: after a mail's first byte no other transport gets it in the same attempt.
 */
export class TransportLine {
  readonly #places: readonly Place[];

  constructor(transports: readonly MailTransport[], pauseMs = MAIL_BREAKER_PAUSE_MS) {
    this.#places = transports.map((transport) => ({
      transport,
      breaker: new CircuitBreaker((...attempt: Attempt) => attemptOn(transport, attempt), {
        // Transports keep their own time.
        timeout: false,
        errorThresholdPercentage: MAIL_BREAKER_FAILURE_PERCENT,
        rollingCountTimeout: MAIL_BREAKER_WINDOW_MS,
        rollingPercentilesEnabled: false,
        enableSnapshots: false,
        resetTimeout: pauseMs,
        // What is refused for its own sake shows that the server is there.
        errorFilter: (error: unknown) =>
          error instanceof NotDelivered && !isServersFailure(error.failure.kind),
      }),
    }));
  }

  /** False: every server is left alone for now. */
  get isUp(): boolean {
    return this.#places.some(({ breaker }) => isOpenTo(breaker));
  }

  /** 0: it is asked, 1: it is left alone, 0.5: one mail is to show whether it is there again. */
  get breakers(): readonly { readonly name: string; readonly state: number }[] {
    return this.#places.map(({ transport, breaker }) => ({
      name: transport.name,
      state: breaker.opened ? 1 : breaker.halfOpen ? 0.5 : 0,
    }));
  }

  async deliver(mail: WrittenMail, handover: Handover, way: MailWay): Promise<Delivery> {
    let last: Delivery = { taken: false, transport: null, failure: NONE_UP };
    for (const { transport, breaker } of this.#places) {
      if (!isOpenTo(breaker)) continue;
      const { name } = transport;
      try {
        await breaker.fire(mail, handover, way);
        return { taken: true, transport: name };
      } catch (error) {
        // What is no such error: the breaker has just opened.
        const failure = error instanceof NotDelivered ? error.failure : NONE_UP;
        last = { taken: false, transport: name, failure };
        if (failure.kind !== "unreachable") return last;
      }
    }
    return last;
  }

  close(): void {
    for (const { transport, breaker } of this.#places) {
      breaker.shutdown();
      transport.close();
    }
  }
}

class NotDelivered extends Error {
  override readonly name = "NotDelivered";
  readonly code = "mail_not_delivered";
  readonly failure: MailFailure;

  constructor(failure: MailFailure, cause: unknown) {
    super(failure.reason, { cause });
    this.failure = failure;
  }
}

async function attemptOn(transport: MailTransport, [mail, handover, way]: Attempt): Promise<void> {
  try {
    await transport.deliver(mail, handover, way);
  } catch (error) {
    throw new NotDelivered(failureOf(error, handover), error);
  }
}

const NONE_UP: MailFailure = { kind: "unreachable", reason: "no mail server is up" };

/** Closed, or half open and waiting for the one that tries. */
function isOpenTo(breaker: CircuitBreaker<Attempt, void>): boolean {
  return breaker.closed || breaker.pendingClose;
}
