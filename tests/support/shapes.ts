/** The contract's answers, as far as the tests read them. */
export interface Money {
  readonly amount: number;
  readonly currency: string;
}

export interface SignedIn {
  readonly user: {
    readonly id: string;
    readonly role: string;
    readonly email?: string;
    readonly emailVerified?: boolean;
    readonly emailOwned?: boolean;
  };
  readonly accessToken: string;
  readonly expiresIn: number;
  /** Guests have none. */
  readonly refreshToken: string;
}

export interface EventShape {
  readonly id: string;
  readonly organizationId: string;
  readonly title: string;
  readonly status: string;
  readonly capacity: number;
  readonly seatCount: number;
  readonly holdTtlSeconds: number;
}

export interface SeatShape {
  readonly id: string;
  readonly zone: string;
  readonly row: string | null;
  readonly number: string | null;
  readonly category: string;
  readonly x: number | null;
  readonly y: number | null;
  readonly accessible: boolean;
}

export interface AvailabilityShape {
  readonly eventId: string;
  readonly epoch: number;
  readonly seq: number;
  readonly status: string;
  readonly capacity: number;
  readonly free: number;
  readonly held: number;
  readonly sold: number;
  readonly blocked: number;
  readonly categories: readonly { key: string; free: number; price: number }[];
  readonly areas: readonly {
    key: string;
    capacity: number;
    free: number;
    held: number;
    sold: number;
    blocked: number;
  }[];
  readonly statuses?: string;
}

export interface ItemShape {
  readonly id: string;
  readonly seat?: string;
  readonly area?: string;
  readonly category: string;
  readonly price: number;
  readonly discount?: number;
  readonly fee?: number;
  readonly tax?: number;
  readonly due?: number;
}

export interface ChoiceShape {
  readonly seats: readonly string[];
  readonly row: string | null;
  readonly zone: string | null;
  readonly distance: number;
  readonly orphans: number;
}

export interface PaymentShape {
  readonly provider: string;
  readonly intentId: string;
  readonly amount: Money;
  readonly status: string;
  readonly payUntil: string;
  readonly refunds: readonly {
    readonly id: string;
    readonly amount: Money;
    readonly reason: string;
    readonly status: string;
  }[];
}

export interface TicketShape extends ItemShape {
  /** Absent for who has just handed the booking over. */
  readonly code?: string;
  readonly status: string;
  readonly checkedInAt?: string;
}

export interface HoldShape {
  readonly id: string;
  readonly eventId: string;
  readonly items: readonly ItemShape[];
  readonly total: Money;
  readonly expiresAt: string;
  readonly status: string;
  readonly source?: string;
  readonly promoCode?: string;
  readonly bestAvailable?: readonly ChoiceShape[];
  readonly bookingId?: string;
  readonly seq: number;
}

export interface WaitingShape {
  readonly id: string;
  readonly eventId: string;
  readonly position: number;
  readonly quantity: number;
  readonly categories: readonly string[] | null;
  readonly priority: number;
  readonly status: string;
  readonly joinedAt: string;
  readonly offer?: HoldShape;
  readonly seq: number;
}

export interface HistoryShape {
  readonly seq: number;
  readonly at: string;
  readonly change: string;
  readonly by: { readonly who: string; readonly userId: string | null };
  readonly reason: string | null;
  readonly email?: string;
}

export interface LogShape {
  readonly seq: number;
  readonly change: string;
  readonly userId: string | null;
  readonly reason: string | null;
  readonly prices?: readonly { readonly category: string; readonly price: Money }[];
}

export interface CheckInShape {
  readonly ticket: TicketShape;
  readonly checkedInAt: string | null;
  readonly booking: { readonly id: string; readonly code: string };
  readonly seq: number;
}

export interface BookingShape {
  readonly id: string;
  readonly code: string;
  readonly eventId: string;
  readonly holdId: string;
  readonly status: string;
  readonly email: string | null;
  readonly tickets: readonly TicketShape[];
  readonly total: Money;
  readonly createdAt: string;
  readonly cancelledAt?: string;
  readonly cancelReason?: string | null;
  readonly payment?: PaymentShape;
  readonly promoCode?: string;
  readonly priceDifference?: Money;
  readonly seq: number;
}

export interface Page<Item> {
  readonly data: readonly Item[];
  readonly nextCursor: string | null;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly seats?: readonly string[];
  readonly area?: string;
  readonly available?: number;
  readonly scope?: string;
  readonly limit?: number;
  readonly current?: number;
  readonly bookingId?: string;
  readonly reason?: string;
  readonly alternatives?: readonly (readonly { readonly seat: string; readonly group: number }[])[];
  readonly [member: string]: unknown;
}

export interface AuditShape {
  readonly ok: boolean;
  readonly seq: number;
  readonly memory: AuditSideShape;
  readonly database: AuditSideShape;
  readonly drift: readonly string[];
}

export interface AuditSideShape {
  readonly hash: string;
  readonly capacity: number;
  readonly free: number;
  readonly held: number;
  readonly sold: number;
  readonly blocked: number;
  readonly bookings: number;
}
