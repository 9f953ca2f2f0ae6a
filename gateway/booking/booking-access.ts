import { type BookingId, eventTagOf, parseBookingId, parseItemId } from "../../engine/ids.ts";
import type { EventDirectory, EventEntry } from "../catalogue/event-directory.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { type Identity, requireIdentity, type Tokens } from "../identity/tokens.ts";
import type { ShardRouter } from "../shard-router.ts";
import type { BookingsReader, StoredBooking } from "./bookings-reader.ts";
import type { RecentWrites } from "./recent-writes.ts";
import type { Reader } from "./views.ts";

export interface BookingAccessPorts {
  readonly tokens: Tokens;
  readonly directory: EventDirectory;
  readonly reader: BookingsReader;
  readonly recentWrites: RecentWrites;
  readonly router: Pick<ShardRouter, "shardOf" | "whenTold" | "whenProjected">;
  readonly isOrganizer: (identity: Identity, organizationId: string) => Promise<boolean>;
}

/** A booking, and as whom it is read. */
export interface ReadableBooking {
  readonly identity: Identity;
  readonly booking: StoredBooking;
  readonly event: EventEntry;
  readonly reader: Reader;
}

/** Who may read which booking: its owner, and who organises the event. */
export class BookingAccess {
  readonly #ports: BookingAccessPorts;

  constructor(ports: BookingAccessPorts) {
    this.#ports = ports;
  }

  /** Waits until the database has what this buyer was told. Throws `busy`. */
  async settled(identity: Identity): Promise<void> {
    const { recentWrites, router } = this.#ports;
    for (const [shard, lsn] of recentWrites.pendingOf(identity.userId)) {
      if (!(await router.whenProjected(shard, lsn))) throw new ProblemError("busy");
    }
  }

  /** The booking of the path. Throws `unauthenticated`, `booking_not_found`, `busy`. */
  async ofBooking(request: HttpRequest): Promise<ReadableBooking> {
    const identity = requireIdentity(this.#ports.tokens, request);
    return this.ofId(identity, parseBookingId(request.params[0]));
  }

  /** As `ofBooking`, by its id; null: it is none. */
  async ofId(identity: Identity, bookingId: BookingId | null): Promise<ReadableBooking> {
    const event =
      bookingId === null ? null : await this.#ports.directory.getByTag(eventTagOf(bookingId));
    if (bookingId === null || event === null) throw new ProblemError("booking_not_found");
    return this.#readable(identity, event, bookingId);
  }

  /** The booking of the path's ticket. Throws `unauthenticated`, `ticket_not_found`, `busy`. */
  async ofTicket(request: HttpRequest): Promise<ReadableBooking> {
    const { tokens, directory, reader, isOrganizer } = this.#ports;
    const identity = requireIdentity(tokens, request);
    const ticketId = parseItemId(request.params[0]);
    const event = ticketId === null ? null : await directory.getByTag(eventTagOf(ticketId));
    if (ticketId === null || event === null) throw new ProblemError("ticket_not_found");
    const find = (): Promise<BookingId | null> =>
      reader.bookingIdOfTicket(identity, event.eventId, ticketId);
    await this.settled(identity);
    let bookingId = await find();
    if (bookingId === null && (await isOrganizer(identity, event.organizationId))) {
      bookingId = await this.#onceTold(event, find);
    }
    if (bookingId === null) throw new ProblemError("ticket_not_found");
    try {
      return await this.#readable(identity, event, bookingId);
    } catch (error) {
      const isNobodys = error instanceof ProblemError && error.code === "booking_not_found";
      throw isNobodys ? new ProblemError("ticket_not_found") : error;
    }
  }

  async #readable(
    identity: Identity,
    event: EventEntry,
    bookingId: BookingId,
  ): Promise<ReadableBooking> {
    const { reader, isOrganizer } = this.#ports;
    const { userId } = identity;
    await this.settled(identity);
    const find = (): Promise<StoredBooking | null> =>
      reader.find(identity, event.eventId, bookingId);
    const known = await find();
    if (known?.record.userId === userId) {
      return { identity, booking: known, event, reader: { userId, asOrganizer: false } };
    }
    const asOrganizer = await isOrganizer(identity, event.organizationId);
    if (!asOrganizer) throw new ProblemError("booking_not_found");
    const booking = known ?? (await this.#onceTold(event, find));
    if (booking === null) throw new ProblemError("booking_not_found");
    return { identity, booking, event, reader: { userId, asOrganizer } };
  }

  /** Its buyer may have been told of it, who now stands before the organiser. */
  async #onceTold<T>({ eventId }: EventEntry, find: () => Promise<T>): Promise<T> {
    const { router } = this.#ports;
    if (!(await router.whenTold(router.shardOf(eventId)))) throw new ProblemError("busy");
    return find();
  }
}
