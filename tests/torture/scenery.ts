/** What is sold in a torture: events of every sort, and who organises them. */
import { randomUUID } from "node:crypto";
import type { Random } from "../../engine/testing/random.ts";
import type { ApiClient } from "../support/client.ts";
import type { AvailabilityShape, EventShape, SeatShape, SignedIn } from "../support/shapes.ts";
import { ok } from "../support/venue.ts";

/** Somebody who watches an event's live stream. */
export interface StageWatch {
  readonly messages: number;
  readonly resumed: number;
  isFree(index: number): boolean;
  reconnect(): Promise<void>;
  hasSeen(availability: AvailabilityShape): boolean;
  compare(availability: AvailabilityShape): void;
  close(): void;
}

/** An event on sale, as those who torture it know it. */
export interface Stage {
  readonly name: string;
  readonly eventId: string;
  readonly seats: readonly SeatShape[];
  readonly areas: readonly string[];
  readonly categories: readonly string[];
  readonly zones: readonly string[];
  /** Providers that buyers try, in no particular order. */
  readonly providers: readonly ("none" | "sandbox")[];
  readonly promoCodes: readonly object[];
  readonly allotments: readonly object[];
  readonly perUserMax: number;
  readonly watchers: StageWatch[];
  /** Sums of the areas' capacities that may be seen; the last is the one to come. */
  readonly capacities: Set<number>;
  /** From the moment in which its cancellation is asked for. */
  isCancelled: boolean;
}

export interface Person {
  readonly token: string;
  readonly id: string;
  readonly email: string;
}

export async function register(api: ApiClient): Promise<Person> {
  const email = `${randomUUID()}@example.org`;
  const body = { email, password: "long enough 1" };
  const reply = await api.post<SignedIn>("/api/v1/auth/register", { body });
  const { user, accessToken } = ok(reply, 201);
  return { token: accessToken, id: user.id, email };
}

export async function guest(api: ApiClient): Promise<Person> {
  const { user, accessToken } = ok(await api.post<SignedIn>("/api/v1/auth/guest"), 201);
  return { token: accessToken, id: user.id, email: `${user.id}@example.org` };
}

/** Fees and tax of each organisation, as it writes them. */
const INVOICING = {
  name: "Invoices",
  allowInvoices: true,
  fees: [
    { name: "Booking", fixed: 150 },
    { name: "System", percent: "2.5" },
  ],
  tax: { name: "VAT", percent: "19", included: true },
};
const PAID = {
  name: "Cash",
  allowInvoices: false,
  fees: [{ name: "Booking", percent: "7.25" }],
  tax: { name: "Sales tax", percent: "8.88", included: false },
};

export const PROMO_CODES = [
  { code: "TENTH", percent: "10", uses: 40, usesPerUser: 2 },
  { code: "FIVER", amount: 500, categories: ["stalls", "standing"], uses: 15 },
  { code: "GIFT", percent: "100", usesPerUser: 1 },
  { code: "LATER", percent: "50", from: "2039-01-01T00:00:00Z" },
] as const;

const PRICES = [
  { key: "stalls", name: "Stalls", price: 4_500 },
  { key: "balcony", name: "Balcony", price: 2_550 },
  { key: "standing", name: "Standing", price: 3_015 },
];
const SANDBOX = ["sandbox"] as const;
const EITHER = ["none", "sandbox"] as const;

interface StagePlan {
  readonly name: string;
  readonly organization: "invoicing" | "paid";
  /** Rows and seats of each. */
  readonly hall: readonly [rows: number, seats: number] | null;
  readonly areas: Readonly<Record<string, number>>;
  readonly providers: readonly ("none" | "sandbox")[];
  readonly promoCodes?: readonly object[];
  /** Channels with the areas' places and the number of seats that are kept for them. */
  readonly allotments?: Readonly<Record<string, { floor: number; seats: number }>>;
  readonly more: object;
}

/** `scale` 1: for 500 clients, with less to sell than they want. */
function plansOf(scale: number, nowMs: number): StagePlan[] {
  const size = (count: number): number => Math.max(4, Math.round(count * scale));
  const hall = (rows: number, seats: number) => [size(rows), seats] as const;
  const limits = (perOrder: number, perUser: number) => ({ limits: { perOrder, perUser } });
  return [
    {
      name: "hall",
      organization: "paid",
      hall: hall(30, 20),
      areas: {},
      providers: SANDBOX,
      more: { ...limits(6, 9), holdTtlSeconds: 3, paymentWindowSeconds: 60 },
    },
    {
      name: "standing",
      organization: "invoicing",
      hall: null,
      areas: { floor: size(300), stand: size(100) },
      providers: EITHER,
      promoCodes: PROMO_CODES,
      more: {
        ...limits(5, 12),
        holdTtlSeconds: 2,
        paymentWindowSeconds: 60,
        holdChurn: { freeDrops: 4, windowSeconds: 20, firstWaitSeconds: 1, maxWaitSeconds: 4 },
      },
    },
    {
      name: "both",
      organization: "invoicing",
      hall: hall(10, 14),
      areas: { floor: size(120) },
      providers: EITHER,
      promoCodes: PROMO_CODES,
      allotments: { club: { floor: size(20), seats: 8 }, press: { floor: 4, seats: 3 } },
      more: { ...limits(8, 10), holdTtlSeconds: 3, paymentWindowSeconds: 60 },
    },
    {
      name: "window",
      organization: "paid",
      hall: hall(6, 10),
      areas: { floor: size(60) },
      providers: SANDBOX,
      promoCodes: PROMO_CODES,
      more: {
        ...limits(4, 8),
        salesOpenAt: new Date(nowMs + 2_000).toISOString(),
        holdTtlSeconds: 2,
        paymentWindowSeconds: 60,
      },
    },
    {
      name: "doomed",
      organization: "paid",
      hall: hall(8, 12),
      areas: { floor: size(150) },
      providers: SANDBOX,
      promoCodes: PROMO_CODES,
      allotments: { club: { floor: 6, seats: 4 } },
      more: { ...limits(6, 12), holdTtlSeconds: 3, paymentWindowSeconds: 60 },
    },
    {
      name: "free of charge",
      organization: "paid",
      hall: null,
      areas: { floor: size(80) },
      providers: EITHER,
      more: {
        ...limits(3, 5),
        holdTtlSeconds: 2,
        priceCategories: PRICES.map((category) => ({ ...category, price: 0 })),
      },
    },
  ];
}

/** Zones of rows; the last seats of a row are the cheaper ones, two in the hall are accessible. */
function planOf([rows, seats]: readonly [rows: number, seats: number]): object {
  const rowOf = (zone: string, row: number) => ({
    row_number: String(row + 1),
    seats: Array.from({ length: seats }, (_, n) => ({
      seat_guid: `${zone}-${row + 1}-${n + 1}`,
      seat_number: String(n + 1),
      category: n < seats * 0.7 ? "Stalls" : "Balcony",
      position: { x: n, y: row },
      ...(row === 1 && n < 2 ? { accessible: true } : {}),
    })),
  });
  const left = Math.ceil(rows / 2);
  const zone = (name: string, count: number) => ({
    name,
    rows: Array.from({ length: count }, (_, row) => rowOf(name, row)),
  });
  return {
    name: "Hall",
    categories: [
      { name: "Stalls", color: "#7f4a91" },
      { name: "Balcony", color: "#4a7f91" },
    ],
    zones: [zone("West", left), zone("East", rows - left)],
  };
}

export interface SceneryAsk {
  readonly api: ApiClient;
  readonly organiser: Person;
  /** Who may let people in, everywhere. */
  readonly staff: readonly Person[];
  readonly scale: number;
  readonly random: Random;
}

/** Opens everything; nobody watches yet. */
export async function openStages(given: SceneryAsk): Promise<Stage[]> {
  const { api, organiser, staff, scale, random } = given;
  const { token } = organiser;
  const open = async (body: object): Promise<string> =>
    ok(await api.post<{ id: string }>("/api/v1/organizations", { token, body }), 201).id;
  const organizations = { invoicing: await open(INVOICING), paid: await open(PAID) };
  for (const organizationId of Object.values(organizations)) {
    for (const { email } of staff) {
      const member = { token, body: { email, role: "staff" } };
      ok(await api.post(`/api/v1/organizations/${organizationId}/members`, member), 201);
    }
  }
  const stages: Stage[] = [];
  for (const plan of plansOf(scale, Date.now())) {
    const areas = Object.entries(plan.areas).map(([key, capacity]) => {
      return { key, name: key, capacity, priceCategory: "standing" };
    });
    const body = {
      organizationId: organizations[plan.organization],
      title: `Torture: ${plan.name}`,
      startsAt: "2040-05-04T19:30:00Z",
      priceCategories: PRICES,
      ...(plan.hall === null ? {} : { seatingPlan: planOf(plan.hall) }),
      areas,
      promoCodes: plan.promoCodes ?? [],
      publish: true,
      ...plan.more,
    };
    const { id } = ok(await api.post<EventShape>("/api/v1/events", { token, body }), 201);
    const path = `/api/v1/events/${id}`;
    const { seats } = ok(await api.get<{ seats: SeatShape[] }>(`${path}/seats`));
    const spare = seats.map((seat) => seat.id);
    const allotments = Object.entries(plan.allotments ?? {}).map(([key, { floor, seats: n }]) => ({
      key,
      seats: Array.from({ length: n }, () => spare.splice(random.below(spare.length), 1)).flat(),
      areas: [{ key: "floor", quantity: floor }],
    }));
    if (allotments.length > 0) {
      ok(await api.patch(`${path}/inventory`, { token, body: { allotments } }));
    }
    stages.push({
      name: plan.name,
      eventId: id,
      seats,
      areas: Object.keys(plan.areas),
      categories: PRICES.map(({ key }) => key),
      zones: [...new Set(seats.map(({ zone }) => zone))],
      providers: plan.providers,
      promoCodes: plan.promoCodes ?? [],
      allotments,
      perUserMax: perUserOf(plan.more),
      watchers: [],
      capacities: new Set([areas.reduce((sum, { capacity }) => sum + capacity, 0)]),
      isCancelled: false,
    });
  }
  return stages;
}

function perUserOf(more: object): number {
  const { limits } = more as { limits: { perUser: number } };
  return limits.perUser;
}
