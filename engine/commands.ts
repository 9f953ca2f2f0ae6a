import type { Book } from "./commands/book.ts";
import type { Cancel } from "./commands/cancel.ts";
import type { ChangeHold } from "./commands/change-hold.ts";
import type { ChangePlaces } from "./commands/change-places.ts";
import type { CheckIn } from "./commands/check-in.ts";
import type { Configure } from "./commands/configure.ts";
import type { Extend } from "./commands/extend.ts";
import type { ForgetBuyer } from "./commands/forget-buyer.ts";
import type { Hold } from "./commands/hold.ts";
import type { MoveTicket } from "./commands/move-ticket.ts";
import type { Pay } from "./commands/pay.ts";
import type { Release } from "./commands/release.ts";
import type { SettlePayment, SettleRefund } from "./commands/settle-payment.ts";
import type { Transfer } from "./commands/transfer.ts";
import type { JoinWaitlist, LeaveWaitlist } from "./commands/waitlist.ts";

/**
 * A request to change one event. Time is the caller's; ids in a command are fresh.
 *
 * Each command has a file in engine/commands/: what it asks for, and how it is decided. A new one
 * is named here and in engine/decide.ts, which the compiler insists on.
 */
export type Command =
  | Configure
  | ChangePlaces
  | Hold
  | ChangeHold
  | Extend
  | Release
  | Book
  | Pay
  | SettlePayment
  | SettleRefund
  | Cancel
  | MoveTicket
  | Transfer
  | CheckIn
  | ForgetBuyer
  | JoinWaitlist
  | LeaveWaitlist;
