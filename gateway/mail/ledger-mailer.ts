import {
  MAIL_BREAKER_PAUSE_MS,
  MAIL_HANDOVER_MS_MAX,
  MAIL_OUTCOME_PAUSE_MS,
  MAIL_OUTCOME_TRIES_MAX,
  MAIL_PAUSE_JITTER,
  MAIL_TRY_PAUSES_MS,
  MAIL_WAIT_MS_MAX,
  MAILS_SENDING_MAX,
} from "../../engine/notifier-limits.ts";
import { type Clock, pause } from "../../workers/clock.ts";
import type { Log } from "../log.ts";
import type { DomainShares } from "./domain-shares.ts";
import { HandedOverElsewhere, Handover } from "./handover.ts";
import type { HandoverNotes } from "./handover-notes.ts";
import { digestOf, domainOf, shownAs } from "./mail-address.ts";
import type { MailFailure } from "./mail-failure.ts";
import { type MailSender, messageIdOf, writtenMail } from "./mail-head.ts";
import type { LedgerMail, MailLedger, Outcome, Standing } from "./mail-ledger.ts";
import type { MailContent, MailEnd, Mailer, MailLinks, MailOrder } from "./mail-order.ts";
import { isOptional } from "./optional-kinds.ts";
import type { SuppressedAddresses } from "./suppressed-addresses.ts";
import type { Delivery, TransportLine } from "./transport-line.ts";

export interface LedgerMailerPorts {
  readonly ledger: MailLedger;
  readonly line: TransportLine;
  readonly shares: DomainShares;
  readonly suppressed: SuppressedAddresses;
  readonly notes: HandoverNotes;
  readonly links: MailLinks;
  readonly sender: MailSender;
  readonly clock: Clock;
  readonly log: Pick<Log, "error">;
  /** From 0 to 1: where in its jitter a pause ends. */
  readonly random: () => number;
}

/** How attempts ended, by a few words of the program's own. */
export type MailCount =
  | ("sent" | "already" | "in_doubt" | "suppressed" | "deferred" | "over_share")
  | ("failed_unreachable" | "failed_broken_off" | "failed_deferred" | "failed_refused")
  | ("failed_no_mailbox" | "failed_not_let_go" | "failed_unwritable" | "dead" | "unrecorded");

interface Attempt {
  readonly order: MailOrder;
  readonly mail: LedgerMail;
  /** Tries that are over. */
  readonly tries: number;
  /** Unix ms: when the first one began. */
  readonly begunMs: number;
}

/**
 * Sends mails, each key once.
 *
 * Invariants:
 * - A server is shown the end of a mail only after the ledger has it as handing_over, durably; and
 *   what the ledger has so, or as sent or in doubt, is never begun again.
 * - At most MAILS_SENDING_MAX are on their way, one of a key.
 */
export class LedgerMailer implements Mailer {
  readonly #ports: LedgerMailerPorts;
  readonly #underWay = new Map<string, Promise<MailEnd>>();
  readonly #counts = new Map<MailCount, number>();

  constructor(ports: LedgerMailerPorts) {
    this.#ports = ports;
  }

  get underWayCount(): number {
    return this.#underWay.size;
  }

  get counts(): ReadonlyMap<MailCount, number> {
    return this.#counts;
  }

  async send(order: MailOrder, compose: () => Promise<MailContent>): Promise<MailEnd> {
    const other = this.#underWay.get(order.key);
    if (other !== undefined) {
      const end = await other;
      return end.end === "sent" ? { end: "already" } : end;
    }
    if (this.#underWay.size >= MAILS_SENDING_MAX) return later(BUSY_PAUSE_MS);
    const sending = this.#send(order, compose).finally(() => this.#underWay.delete(order.key));
    this.#underWay.set(order.key, sending);
    return sending;
  }

  /** All that are on their way have ended, in one way or another. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#underWay.values()]);
  }

  async #send(order: MailOrder, compose: () => Promise<MailContent>): Promise<MailEnd> {
    const { ledger, line, shares, sender, clock } = this.#ports;
    const nowMs = clock.wallMs();
    const mail = ledgerMailOf(order, sender);
    const standing = await ledger.look(mail, nowMs);
    const settled = this.#settledBefore(standing, nowMs);
    if (settled !== null) return settled;
    const isAnew = standing.state === "dead" || standing.state === null;
    const tries = isAnew ? 0 : standing.tries;
    const attempt = { order, mail, tries, begunMs: isAnew ? nowMs : standing.begunMs };
    const unwanted = unwantedBecause(order, standing);
    if (unwanted !== null) return this.#suppress(attempt, unwanted);
    if (!line.isUp) return this.#unreachable(attempt, "no mail server is up");
    const waitMs = await shares.take(mail.domain);
    if (waitMs > 0) {
      this.#count("over_share");
      return later(waitMs);
    }
    let isSent = false;
    try {
      const end = await this.#attempt(attempt, compose);
      isSent = end.end === "sent";
      return end;
    } finally {
      if (!isSent) await shares.giveBack(mail.domain);
    }
  }

  /** What needs no attempt, or not now; null: it is to be sent. */
  #settledBefore(standing: Standing, nowMs: number): MailEnd | null {
    switch (standing.state) {
      case "sent":
        this.#count("already");
        return { end: "already" };
      case "in_doubt":
        this.#count("in_doubt");
        return { end: "in_doubt" };
      case "handing_over": {
        // Whoever began it may still hear how it ends.
        const leftMs = standing.changedMs + MAIL_HANDOVER_MS_MAX - nowMs;
        if (leftMs > 0) return later(leftMs);
        this.#count("in_doubt");
        return { end: "in_doubt" };
      }
      case "waiting":
        return standing.notBeforeMs > nowMs ? later(standing.notBeforeMs - nowMs) : null;
      default:
        return null;
    }
  }

  async #attempt(attempt: Attempt, compose: () => Promise<MailContent>): Promise<MailEnd> {
    const { ledger, line, notes, links, sender, clock } = this.#ports;
    const { order, mail } = attempt;
    const content = await compose();
    const { messageId } = mail;
    const written = writtenMail({
      ...{ order, content, sender, messageId, links },
      nowMs: clock.wallMs(),
    });
    const claim = notes.claim();
    try {
      const handover = new Handover(
        () => ledger.handOver(mail, claim.text, clock.wallMs()),
        () => claim.letGo(),
      );
      const way = isOptional(order.kind) ? "bulk" : "prompt";
      const delivery = await line.deliver(written, handover, way);
      await handover.answered();
      return await this.#concluded(attempt, delivery, { handover, claim: claim.text });
    } finally {
      claim.free();
    }
  }

  async #concluded(attempt: Attempt, delivery: Delivery, held: Held): Promise<MailEnd> {
    if (delivery.taken) {
      this.#count("sent");
      const tries = attempt.tries + 1;
      const outcome = { state: "sent", tries, reason: null, notBeforeMs: 0 } as const;
      await this.#record(attempt, { ...outcome, transport: delivery.transport }, held);
      return { end: "sent" };
    }
    const { failure, transport } = delivery;
    this.#count(`failed_${failure.kind}`);
    switch (failure.kind) {
      case "unreachable":
        return this.#unreachable(attempt, failure.reason);
      case "not_let_go":
        return this.#notLetGo(attempt, held);
      case "no_mailbox":
        await this.#ports.suppressed.hard({
          recipient: digestOf(attempt.order.to),
          shown: shownAs(attempt.order.to),
          reason: failure.reason,
          atMs: this.#ports.clock.wallMs(),
        });
        return this.#dead(attempt, failure, { ...held, transport });
      case "refused":
      case "unwritable":
        return this.#dead(attempt, failure, { ...held, transport });
      case "deferred":
      case "broken_off":
        return this.#again(attempt, failure, { ...held, transport });
    }
  }

  /** A server that is not there says nothing of this mail: no try is used up. */
  async #unreachable(attempt: Attempt, reason: string): Promise<MailEnd> {
    const { clock } = this.#ports;
    const nowMs = clock.wallMs();
    this.#count("deferred");
    if (nowMs - attempt.begunMs > MAIL_WAIT_MS_MAX) {
      return this.#dead(attempt, { kind: "unreachable", reason }, NOT_HELD);
    }
    const afterMs = this.#jittered(MAIL_BREAKER_PAUSE_MS);
    const outcome = { state: "waiting", tries: attempt.tries, transport: null, reason } as const;
    await this.#record(attempt, { ...outcome, notBeforeMs: nowMs + afterMs }, NOT_HELD);
    return later(afterMs);
  }

  /** It did not go, for certain. Whether the ledger has the mark is not known after an error. */
  async #notLetGo(attempt: Attempt, held: Held): Promise<MailEnd> {
    const { error } = held.handover;
    if (error instanceof HandedOverElsewhere) return later(MAIL_HANDOVER_MS_MAX);
    const { tries } = attempt;
    const notBeforeMs = this.#ports.clock.wallMs() + BUSY_PAUSE_MS;
    const reason = "the ledger did not answer";
    await this.#record(
      attempt,
      { state: "waiting", tries, transport: null, reason, notBeforeMs },
      held,
    );
    return later(BUSY_PAUSE_MS);
  }

  async #again(attempt: Attempt, failure: MailFailure, held: Partly): Promise<MailEnd> {
    const tries = attempt.tries + 1;
    const pauseMs = MAIL_TRY_PAUSES_MS[tries - 1];
    if (pauseMs === undefined) return this.#dead(attempt, failure, held);
    const { reason } = failure;
    const notBeforeMs = this.#ports.clock.wallMs() + this.#jittered(pauseMs);
    const { transport } = held;
    await this.#record(attempt, { state: "waiting", tries, transport, reason, notBeforeMs }, held);
    return { end: "again", reason };
  }

  async #dead(attempt: Attempt, { reason }: MailFailure, held: Partly): Promise<MailEnd> {
    this.#count("dead");
    const tries = attempt.tries + 1;
    const outcome = { state: "dead", tries, transport: held.transport, reason } as const;
    await this.#record(attempt, { ...outcome, notBeforeMs: 0 }, held);
    return { end: "dead", reason };
  }

  async #suppress(attempt: Attempt, reason: string): Promise<MailEnd> {
    this.#count("suppressed");
    const { tries } = attempt;
    const outcome = { state: "suppressed", tries, transport: null, notBeforeMs: 0 } as const;
    await this.#record(attempt, { ...outcome, reason }, NOT_HELD);
    return { end: "suppressed", reason };
  }

  /**
   * Writes down how it ended. If the database does not take it in the end, that is known here
   * alone: what was handed over will be in doubt, and is not sent again either way.
   */
  async #record(
    attempt: Attempt,
    ended: Omit<Outcome, "atMs">,
    held: Held | Partly,
  ): Promise<void> {
    const { ledger, clock, log } = this.#ports;
    const outcome = { ...ended, atMs: clock.wallMs() };
    for (let tried = 1; ; tried += 1) {
      try {
        if (held.handover?.isAsked === true) await ledger.settle(attempt.mail, held.claim, outcome);
        else await ledger.note(attempt.mail, outcome);
        return;
      } catch (error) {
        if (tried >= MAIL_OUTCOME_TRIES_MAX) {
          this.#count("unrecorded");
          const reason = error instanceof Error ? error.message : String(error);
          log.error({ reason, state: outcome.state }, "the outcome of a mail was not recorded");
          return;
        }
        await pause(clock, MAIL_OUTCOME_PAUSE_MS);
      }
    }
  }

  #jittered(ms: number): number {
    return Math.round(ms * (1 + MAIL_PAUSE_JITTER * (2 * this.#ports.random() - 1)));
  }

  #count(name: MailCount): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
}

/** When there is too much to do, or the database is away. */
const BUSY_PAUSE_MS = 5_000;

interface Held {
  readonly handover: Handover;
  readonly claim: string;
}
interface Partly {
  /** null: nothing was begun. */
  readonly handover: Handover | null;
  readonly claim: string;
  readonly transport: string | null;
}
const NOT_HELD: Partly = { handover: null, claim: "", transport: null };

const later = (afterMs: number): MailEnd => ({ end: "later", afterMs });

function ledgerMailOf(order: MailOrder, sender: MailSender): LedgerMail {
  const { key, kind, organizationId, to } = order;
  const recipient = digestOf(to).toString("hex");
  const messageId = messageIdOf(order, sender);
  return { key, kind, organizationId, recipient, domain: domainOf(to), messageId };
}

/** Who has no mailbox gets nothing; who complained, or has a full one, what they can't miss. */
function unwantedBecause({ kind }: MailOrder, standing: Standing): string | null {
  const { suppression, isRefused } = standing;
  if (suppression === "hard") return "mails to this address come back: there is no such mailbox";
  if (!isOptional(kind)) return null;
  if (isRefused) return "its reader does not want mails of this kind";
  if (suppression === "complaint") return "its reader has complained of mails";
  if (suppression === "soft") return "mails to this address came back several times";
  return null;
}
