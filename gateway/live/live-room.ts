import { type EventId, parseEventId, type UserId } from "../../engine/ids.ts";
import {
  SOCKET_REQUESTS_IN_FLIGHT_MAX,
  SUBSCRIPTIONS_PER_SOCKET_MAX,
} from "../../engine/limits.ts";
import type { Notice } from "../../workers/shard-messages.ts";
import { type DeskResult, invalid, problem } from "../booking/desk-result.ts";
import type { EventDirectory } from "../catalogue/event-directory.ts";
import type { LiveHandler, LiveSocket, ReadMessage, Said } from "../http/exchange.ts";
import { BUSY_UNREAD, refusedUnread, type Watch } from "../http/observation.ts";
import { type FieldError, validationFailed } from "../http/validation.ts";
import type { Identity, Tokens } from "../identity/tokens.ts";
import type { LimitClass } from "../limits/limit-classes.ts";
import { refusalMembers } from "../limits/quota.ts";
import type { Admission, RequestLimits } from "../limits/request-limits.ts";
import type { AvailabilityHub } from "./availability-hub.ts";
import { busyReplyTo } from "./busy-reply.ts";
import { DESK_OPS, isForDesk, type LiveDesk, limitClassOfOp, missingNames } from "./desk-ops.ts";
import { checkMessage, type Message, readMessage } from "./live-message.ts";
import { idOf } from "./live-reply.ts";
import { observed, reply, type Session, send, settling } from "./live-session.ts";
import { LiveView } from "./live-view.ts";
import { noticeMessage } from "./notice-message.ts";
import { type Subscription, Subscriptions } from "./subscriptions.ts";

type Directory = Pick<EventDirectory, "peek" | "get">;

export interface LiveRoomPorts {
  readonly desk: LiveDesk;
  readonly directory: Directory;
  readonly tokens: Pick<Tokens, "verify">;
  readonly hub: AvailabilityHub;
  /** null: nobody is counted. Default: null. */
  readonly limits?: Pick<RequestLimits, "admit"> | null;
  /** Default: messages are neither counted nor traced. */
  readonly watch?: Watch;
}

/**
 * What is said over WebSockets: availability to whoever subscribes, and the booking desk's second
 * door.
 *
 * Invariants:
 * - A message that makes no sense is answered with `error`; the connection stays.
 * - A socket has at most SOCKET_REQUESTS_IN_FLIGHT_MAX requests at the desk; one more is `busy`.
 * - Whose a message is, and what is subscribed after it, is settled when it comes, whoever has to
 *   be waited for afterwards: messages of one socket take effect in their order.
 * - A socket in `#byUser` is open and was authenticated. It hears nothing personal unless its token
 *   is good at that moment.
 */
export class LiveRoom implements LiveHandler {
  readonly #desk: LiveDesk;
  readonly #directory: Directory;
  readonly #tokens: Pick<Tokens, "verify">;
  readonly #hub: AvailabilityHub;
  readonly #limits: Pick<RequestLimits, "admit"> | null;
  readonly #watch: Watch | null;
  readonly #sessions = new Map<number, Session>();
  readonly #byUser = new Map<UserId, Set<LiveSocket>>();
  /** Requests to the desk that have no answer yet, of all sockets. */
  #inFlight = 0;
  /** Told when there are none; null: it goes on. */
  #finished: (() => void) | null = null;

  constructor(ports: LiveRoomPorts) {
    this.#desk = ports.desk;
    this.#directory = ports.directory;
    this.#tokens = ports.tokens;
    this.#hub = ports.hub;
    this.#limits = ports.limits ?? null;
    this.#watch = ports.watch ?? null;
  }

  get socketCount(): number {
    return this.#sessions.size;
  }

  open(socket: LiveSocket): void {
    const nobody = { identity: null, authorization: "" };
    const subscriptions = new Subscriptions();
    const session: Session = { socket, ...nobody, subscriptions, inFlight: 0 };
    this.#sessions.set(socket.id, session);
    if (socket.accessToken !== "") this.#authenticate(session, socket.accessToken);
  }

  close(socket: LiveSocket): void {
    const session = this.#sessions.get(socket.id);
    if (session === undefined) return;
    this.#sessions.delete(socket.id);
    for (const [eventId, group] of session.subscriptions.endAll()) {
      this.#hub.unsubscribed(eventId, group);
    }
    this.#leaveUser(session);
  }

  /** The desk is asked nothing more; resolves when all that it was asked is answered. */
  finish(): Promise<void> {
    return new Promise((resolve) => {
      this.#finished = resolve;
      if (this.#inFlight === 0) resolve();
    });
  }

  /** While nobody's hold is let in, holds are refused by how they begin. */
  refusalOf(message: Uint8Array): Uint8Array | null {
    const refusal = this.#desk.refusesAllHolds() ? busyReplyTo(message) : null;
    if (refusal !== null && this.#watch !== null) {
      refusedUnread(this.#watch, this.#watch.meter.op("hold"), BUSY_UNREAD);
    }
    return refusal;
  }

  message(socket: LiveSocket, said: Said): void {
    const session = this.#sessions.get(socket.id);
    if (session === undefined) return;
    const read = readMessage(said);
    if (!read.ok) return this.#unreadable(session, read);
    const checked = checkMessage(read.value);
    if (!checked.ok) return this.#refuse(session, read.value, checked.errors);
    const missing = missingNames(checked.value.op, checked.value);
    if (missing.length > 0) {
      const errors = missing.map((path) => ({ path, message: "is missing" }));
      return this.#refuse(session, read.value, errors);
    }
    this.#handle(session, checked.value, read.value);
  }

  /** What the desk was asked is answered as over HTTP, also when it makes no sense. */
  #refuse(session: Session, message: unknown, errors: readonly FieldError[]): void {
    const id = idOf(message);
    if (isForDesk(message)) {
      const result = this.#whoIs(session) === null ? UNAUTHENTICATED : invalid(errors);
      this.#watch?.meter.refusals.add(result.code);
      return reply(session, id, result);
    }
    const { message: detail } = validationFailed(errors);
    this.#fail(session, id, "validation_failed", detail);
  }

  /** Tells the owner of something what became of it, on every socket of theirs. */
  tell(notice: Notice): void {
    const { eventId, userId } = notice;
    if (!this.#byUser.has(userId)) return;
    const event = this.#directory.peek(eventId);
    if (event !== undefined) return this.#send(userId, noticeMessage(event, notice));
    this.#directory.get(eventId).then(
      (found) => {
        if (found !== null) this.#send(userId, noticeMessage(found, notice));
      },
      // Nobody relies on being told: the state is what a question answers.
      () => undefined,
    );
  }

  /** Tokens of a user have ended: who came with one of them is told, and hears nothing personal. */
  signedOut(userId: UserId): void {
    this.#signedIn(userId);
  }

  #send(userId: UserId, message: object): void {
    const text = JSON.stringify(message);
    for (const { socket } of this.#signedIn(userId)) socket.send(text);
  }

  /** A user's sockets whose tokens are good; the others are told, once, and are nobody's. */
  #signedIn(userId: UserId): Session[] {
    const signedIn: Session[] = [];
    for (const socket of [...(this.#byUser.get(userId) ?? [])]) {
      const session = this.#sessions.get(socket.id);
      if (session === undefined) continue;
      if (this.#whoIs(session) !== null) {
        signedIn.push(session);
        continue;
      }
      this.#leaveUser(session);
      session.identity = null;
      session.authorization = "";
      this.#fail(session, undefined, "unauthenticated", "The sign-in has ended.");
    }
    return signedIn;
  }

  /** Whose token the socket has; null: nobody's, or it is good no more. */
  #whoIs({ authorization }: Session): Identity | null {
    return authorization === "" ? null : this.#tokens.verify(authorization);
  }

  #handle(session: Session, message: Message, body: unknown): void {
    const eventId = parseEventId(message.eventId);
    switch (message.op) {
      case "auth":
        return this.#authenticate(session, message.token ?? "", message.id);
      case "subscribe":
        return this.#subscribe(session, eventId, message);
      case "unsubscribe":
        return this.#unsubscribe(session, eventId, message);
      default:
        return this.#atDesk(session, eventId, message, body);
    }
  }

  #authenticate(session: Session, token: string, id?: Message["id"]): void {
    const authorization = `Bearer ${token}`;
    const identity = this.#tokens.verify(authorization);
    if (identity === null) {
      const detail = "The access token is missing, wrong or expired.";
      return this.#fail(session, id, "unauthenticated", detail);
    }
    this.#leaveUser(session);
    session.identity = identity;
    session.authorization = authorization;
    const sockets = this.#byUser.get(identity.userId) ?? new Set();
    sockets.add(session.socket);
    this.#byUser.set(identity.userId, sockets);
    // Who gave no id asked for no answer: the next thing heard is the answer to the next question.
    if (id !== undefined) send(session, { op: "reply", id, status: 200, body: identity });
  }

  #leaveUser({ identity, socket }: Session): void {
    if (identity === null) return;
    const sockets = this.#byUser.get(identity.userId);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#byUser.delete(identity.userId);
  }

  /** It is asked for from now on: what unsubscribes ends it, wherever it is by then. */
  #subscribe(session: Session, eventId: EventId | null, message: Message): void {
    const { id } = message;
    const { subscriptions } = session;
    const asked = eventId === null ? "event_not_found" : subscriptions.ask(eventId);
    if (asked === "busy") return this.#fail(session, id, asked, WHY_NOT[asked]);
    this.#admit(session, "read", this.#whoIs(session), (admission) => {
      const isRefused = refusalOf(admission) !== null;
      if (typeof asked !== "string" && !isRefused) return this.#show(session, asked, message);
      const code = isRefused || typeof asked !== "string" ? "rate_limited" : asked;
      const isWanted = typeof asked === "string" || subscriptions.answered(asked, false);
      if (isWanted) this.#fail(session, id, code, WHY_NOT[code]);
    });
  }

  #show(session: Session, asked: Subscription, { id, since }: Message): void {
    this.#hub.read(asked.eventId, (result) => {
      const isGood = result instanceof LiveView;
      // Gone meanwhile, or unsubscribed before the view was there.
      if (!session.subscriptions.answered(asked, isGood)) return;
      if (isGood) return this.#welcome(session, asked, result, since);
      const isUnknown = result.kind === "refused" && result.refusal.code === "event_not_found";
      const code = isUnknown ? "event_not_found" : "busy";
      this.#fail(session, id, code, WHY_NOT[code]);
    });
  }

  /**
   * Sends the state or what was missed of it, and joins the event's deltas with nothing in between.
   */
  #welcome(
    { socket }: Session,
    asked: Subscription,
    view: LiveView,
    since: Message["since"],
  ): void {
    asked.group = this.#hub.welcome(view, asked.group);
    const missed = since === undefined ? null : view.deltasSince(since.epoch, since.seq);
    if (missed === null) socket.send(view.snapshot());
    else for (const delta of missed) socket.send(delta);
    socket.subscribe(asked.group.topic);
  }

  #unsubscribe(session: Session, eventId: EventId | null, { id }: Message): void {
    if (eventId === null) {
      return this.#fail(session, id, "event_not_found", WHY_NOT.event_not_found);
    }
    const group = session.subscriptions.end(eventId);
    if (group !== null) {
      session.socket.unsubscribe(group.topic);
      this.#hub.unsubscribed(eventId, group);
    }
    send(session, { op: "unsubscribed", eventId });
  }

  #atDesk(session: Session, eventId: EventId | null, message: Message, body: unknown): void {
    const { id, op } = message;
    const ask = DESK_OPS.get(op);
    if (ask === undefined) return this.#fail(session, id, "unknown_op", `There is no op "${op}".`);
    const isFull = session.inFlight >= SOCKET_REQUESTS_IN_FLIGHT_MAX;
    if (isFull || this.#finished !== null || (op === "hold" && this.#desk.refusesHolds(eventId))) {
      if (this.#watch !== null) refusedUnread(this.#watch, this.#watch.meter.op(op), BUSY_UNREAD);
      return reply(session, id, BUSY);
    }
    session.inFlight += 1;
    this.#inFlight += 1;
    const answered = (): void => this.#answered(session);
    const observation = this.#watch === null ? null : observed(this.#watch, session, message);
    const identity = this.#whoIs(session);
    this.#admit(session, limitClassOfOp(op), identity, (admission) => {
      const settle = settling(session, { id, admission, observation, answered });
      const refusal = refusalOf(admission);
      if (refusal !== null) return settle(refusal);
      if (identity === null) return settle(UNAUTHENTICATED);
      const { idempotencyKey = "" } = message;
      const request = { identity, body, idempotencyKey, keyName: "idempotencyKey" };
      if (observation === null) ask(this.#desk, message, request, settle);
      else observation.run(() => ask(this.#desk, message, request, settle));
    });
  }

  #answered(session: Session): void {
    session.inFlight -= 1;
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#finished?.();
  }

  /** Counts what a socket asks for as what it would be over HTTP; null: nobody is counted. */
  #admit(
    { socket: { network } }: Session,
    limitClass: LimitClass,
    identity: Identity | null,
    then: (admission: Admission | null) => void,
  ): void {
    if (this.#limits === null) return then(null);
    const userId = identity?.userId ?? null;
    const admitted = this.#limits.admit(limitClass, { network, userId });
    if (!(admitted instanceof Promise)) return then(admitted);
    // Redis that does not answer is no failure there: what comes here is a bug, and lets in.
    admitted.then(then, () => then(null));
  }

  /** Who can be told which of their questions it was waits for no answer to it. */
  #unreadable(session: Session, { value, code, detail }: Unreadable): void {
    const id = idOf(value);
    if (!isForDesk(value)) return this.#fail(session, id, code, detail);
    this.#watch?.meter.refusals.add("malformed_json");
    reply(session, id, problem("malformed_json", { detail }));
  }

  #fail(session: Session, id: Message["id"], code: string, detail: string): void {
    this.#watch?.meter.refusals.add(code);
    send(session, { op: "error", ...(id === undefined ? {} : { id }), code, detail });
  }
}

type Unreadable = Extract<ReadMessage, { ok: false }>;

/** Null: it is let in. */
function refusalOf(admission: Admission | null): DeskResult | null {
  const quota = admission?.quota ?? null;
  return quota === null || quota.isAllowed ? null : problem("rate_limited", refusalMembers(quota));
}

/** What a person is told who may not subscribe. */
const WHY_NOT = {
  rate_limited: "Too many requests; wait before the next one.",
  event_not_found: "There is no such event.",
  too_many_subscriptions: `One connection may watch ${SUBSCRIPTIONS_PER_SOCKET_MAX} events.`,
  busy: "Too much to do right now; try again shortly.",
};
const BUSY = problem("busy");
const UNAUTHENTICATED = problem("unauthenticated");
