/**
 * Where a request to hold, book or give back places becomes a command to the event's actor, and its
 * answer becomes a result. HTTP routes and WebSocket rooms are two doors to this one desk.
 */
import type { EventId } from "../../engine/ids.ts";
import { type BookingDeskPorts, DeskCore } from "./desk-core.ts";
import { HoldDesk } from "./hold-desk.ts";
import { InventoryDesk } from "./inventory-desk.ts";
import { OrderDesk } from "./order-desk.ts";
import { TicketDesk } from "./ticket-desk.ts";
import { WaitlistDesk } from "./waitlist-desk.ts";

/** One family of requests each; a method calls `settle` exactly once. */
export class BookingDesk {
  readonly holds: HoldDesk;
  readonly orders: OrderDesk;
  readonly tickets: TicketDesk;
  readonly waitlist: WaitlistDesk;
  readonly inventory: InventoryDesk;
  readonly #ports: BookingDeskPorts;

  constructor(ports: BookingDeskPorts) {
    const core = new DeskCore(ports);
    this.holds = new HoldDesk(core);
    this.orders = new OrderDesk(core);
    this.tickets = new TicketDesk(core);
    this.waitlist = new WaitlistDesk(core);
    this.inventory = new InventoryDesk(core);
    this.#ports = ports;
  }

  /** Whether a hold would be refused as `busy` now: doors ask before they look into a request. */
  refusesHolds(eventId: EventId | null): boolean {
    return eventId !== null && this.#ports.router.refusesHolds(eventId);
  }

  /** The same for any event, without a look at which. */
  refusesAllHolds(): boolean {
    return this.#ports.router.refusesAllHolds();
  }
}
