import { book } from "./commands/book.ts";
import { cancel } from "./commands/cancel.ts";
import { changeHold } from "./commands/change-hold.ts";
import { changePlaces } from "./commands/change-places.ts";
import { checkIn } from "./commands/check-in.ts";
import { configure } from "./commands/configure.ts";
import { extend } from "./commands/extend.ts";
import { forgetBuyer } from "./commands/forget-buyer.ts";
import { hold } from "./commands/hold.ts";
import { moveTicket } from "./commands/move-ticket.ts";
import { refuse } from "./commands/outcome.ts";
import { pay } from "./commands/pay.ts";
import { release } from "./commands/release.ts";
import { settlePayment, settleRefund } from "./commands/settle-payment.ts";
import { transfer } from "./commands/transfer.ts";
import { joinWaitlist, leaveWaitlist } from "./commands/waitlist.ts";
import type { Command } from "./commands.ts";
import type { EventState } from "./event-state.ts";
import type { CommandKey } from "./facts.ts";
import type { Decision } from "./replies.ts";
import { unreachable } from "./unreachable.ts";

/**
 * Answers one command at one instant, changing nothing: the facts it would cause and what the
 * requester is told. Before it, the caller has applied everything that happens by itself up to
 * `nowMs` (engine/by-itself.ts).
 */
export function decide(state: EventState, command: Command, nowMs: number): Decision {
  const key = "key" in command ? command.key : null;
  if (key !== null) {
    const decision = decideByKey(state, key, nowMs);
    if (decision !== null) return decision;
  }
  switch (command.kind) {
    case "hold":
      return hold(state, command, nowMs);
    case "changeHold":
      return changeHold(state, command, nowMs);
    case "extend":
      return extend(state, command, nowMs);
    case "release":
      return release(state, command, nowMs);
    case "book":
      return book(state, command, nowMs);
    case "pay":
      return pay(state, command, nowMs);
    case "settlePayment":
      return settlePayment(state, command, nowMs);
    case "settleRefund":
      return settleRefund(state, command, nowMs);
    case "cancel":
      return cancel(state, command, nowMs);
    case "moveTicket":
      return moveTicket(state, command, nowMs);
    case "transfer":
      return transfer(state, command, nowMs);
    case "forgetBuyer":
      return forgetBuyer(state, command, nowMs);
    case "checkIn":
      return checkIn(state, command, nowMs);
    case "joinWaitlist":
      return joinWaitlist(state, command, nowMs);
    case "leaveWaitlist":
      return leaveWaitlist(state, command, nowMs);
    case "configure":
      return configure(state, command, nowMs);
    case "changePlaces":
      return changePlaces(state, command, nowMs);
    default:
      return unreachable(command);
  }
}

function decideByKey(state: EventState, key: CommandKey, nowMs: number): Decision | null {
  const kept = state.keys.find(key.digest, nowMs);
  if (kept === undefined) return state.keys.hasRoom(nowMs) ? null : refuse({ code: "busy" });
  if (kept.fingerprint !== key.fingerprint) return refuse({ code: "idempotency_key_reused" });
  return { facts: [], reply: { kind: "replay", seq: kept.seq } };
}
