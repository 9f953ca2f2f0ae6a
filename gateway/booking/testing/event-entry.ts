/** The event of the engine's fixtures, with the names that the gateway knows. */
import { NO_CHARGES } from "../../../engine/charges.ts";
import type { OrganizationId } from "../../../engine/ids.ts";
import { EVENT_ID, NOON, TAG } from "../../../engine/testing/fixtures.ts";
import type { EventEntry } from "../../catalogue/event-directory.ts";

export const ORGANIZATION = "018f3c9a-7b10-7000-8000-0000000000f0" as OrganizationId;
const SEATS = Array.from({ length: 10 }, (_, index) => `A-${index + 1}`);
const CATEGORIES = [
  { key: "stalls", name: "Stalls", price: 4500 },
  { key: "standing", name: "Standing", price: 3000 },
];
const AREAS = [{ key: "floor", name: "Floor", capacity: 5, priceCategory: "standing" }];

export function eventEntry(changes: Partial<EventEntry> = {}): EventEntry {
  return {
    eventId: EVENT_ID,
    tag: TAG,
    organizationId: ORGANIZATION,
    allowInvoices: true,
    status: "published",
    title: "A night out",
    description: "",
    category: null,
    tags: [],
    venue: null,
    startsMs: NOON,
    endsMs: null,
    timezone: "Europe/Berlin",
    currency: "EUR",
    salesOpenMs: null,
    salesCloseMs: null,
    holdTtlMs: 600_000,
    perOrderMax: 4,
    perUserMax: 6,
    priceCategories: CATEGORIES,
    areas: AREAS,
    promoCodes: [],
    churn: null,
    cancelUntilMs: null,
    paymentWindowMs: 900_000,
    charges: NO_CHARGES,
    cancelling: false,
    neverPublished: false,
    version: 0,
    seatCount: SEATS.length,
    createdMs: NOON,
    updatedMs: NOON,
    seatIds: SEATS,
    seatNumbers: SEATS.map((_, index) => String(index + 1)),
    seatIndexById: new Map(SEATS.map((id, index) => [id, index])),
    zoneNames: ["Stalls", "Balcony"],
    rows: [
      { zone: "Stalls", name: "A" },
      { zone: "Balcony", name: null },
    ],
    seatRows: Uint32Array.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]),
    areaKeys: ["floor"],
    areaIndexByKey: new Map([["floor", 0]]),
    categoryKeys: ["stalls", "standing"],
    categoryIndexByKey: new Map([
      ["stalls", 0],
      ["standing", 1],
    ]),
    categories: CATEGORIES,
    json: "{}",
    etag: '"e"',
    ...changes,
  };
}
