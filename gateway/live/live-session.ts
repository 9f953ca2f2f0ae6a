import type { DeskResult, Settle } from "../booking/desk-result.ts";
import type { LiveSocket } from "../http/exchange.ts";
import { Observation, type Watch } from "../http/observation.ts";
import { PROBLEMS } from "../http/problem-codes.ts";
import { requestIdOf, traceparentOf } from "../http/request-id.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Admission } from "../limits/request-limits.ts";
import type { Message } from "./live-message.ts";
import { replyOf } from "./live-reply.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Who is at the other end of a socket, and what they wait for. */
export interface Session {
  readonly socket: LiveSocket;
  /** Whose personal messages it gets. */
  identity: Identity | null;
  /** As a header has it, what it was authenticated with: tokens expire, so each use checks it. */
  authorization: string;
  readonly subscriptions: Subscriptions;
  /** Requests to the desk that have no answer yet. */
  inFlight: number;
}

interface Asked {
  readonly id: Message["id"];
  readonly admission: Admission | null;
  readonly observation: Observation | null;
  readonly answered: () => void;
}

/** Sends the desk's result. */
export function settling(
  session: Session,
  { id, admission, observation, answered }: Asked,
): Settle {
  return (result) => {
    answered();
    if (result.kind === "ok") observation?.ended(result.status);
    else {
      if (result.code === "busy") admission?.giveBack();
      observation?.ended(PROBLEMS[result.code][0], result.code);
    }
    reply(session, id, result);
  };
}

export function observed(watch: Watch, { authorization }: Session, message: Message): Observation {
  const { op, eventId = "" } = message;
  return new Observation(watch, watch.meter.op(op), {
    requestId: requestIdOf(""),
    traceparent: traceparentOf(message.traceparent ?? ""),
    authorization,
    params: [eventId],
  });
}

export function reply({ socket }: Session, id: Message["id"], result: DeskResult): void {
  socket.send(replyOf(id, result));
}

export function send(session: Session, message: object): void {
  session.socket.send(JSON.stringify(message));
}
