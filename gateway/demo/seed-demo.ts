import * as fs from "node:fs/promises";
import { NO_CHARGES } from "../../engine/charges.ts";
import type { EventId, OrganizationId } from "../../engine/ids.ts";
import type { EventBody } from "../catalogue/event-definition.ts";
import type { Events } from "../catalogue/events.ts";
import type { Organizations } from "../catalogue/organizations.ts";
import type { Identity } from "../identity/tokens.ts";
import { freshUserId } from "../identity/users.ts";

export interface Demo {
  readonly organizationId: OrganizationId;
  readonly events: readonly { readonly eventId: EventId; readonly title: string }[];
}

export interface DemoPorts {
  readonly organizations: Organizations;
  readonly events: Events;
  /** Unix ms. */
  readonly nowMs: number;
}

const DAY_MS = 86_400_000;
const THEATRE_PLAN = new URL("./plans/theatre.json", import.meta.url);

/**
 * Something to try Evently with: an organisation that takes invoices, a theatre evening with seats,
 * and a club night with standing room. null: there is an organisation already, so nothing was done.
 */
export async function seedDemo({ organizations, events, nowMs }: DemoPorts): Promise<Demo | null> {
  if (!(await organizations.isEmpty())) return null;
  const theatrePlan: unknown = JSON.parse(await fs.readFile(THEATRE_PLAN, "utf8"));
  const organization = await organizations.create(
    {
      name: "Evently Demo",
      allowInvoices: true,
      currency: "EUR",
      country: "DE",
      charges: NO_CHARGES,
    },
    null,
  );
  // Nobody's account: only administrators act for the demo organisation.
  const seeder: Identity = { userId: freshUserId(), role: "admin" };
  const made: { eventId: EventId; title: string }[] = [];
  try {
    const evening = (days: number): string => at(nowMs + days * DAY_MS);
    for (const body of [
      theatreEvening(organization.id, evening(42), theatrePlan),
      clubNight(organization.id, evening(28)),
    ]) {
      const { eventId, title } = await events.create(seeder, body);
      made.push({ eventId, title });
    }
  } catch (error) {
    // Without this the next start would take a half-made demo for a whole one.
    if (made.length === 0) await organizations.removeEmpty(organization.id);
    throw error;
  }
  return { organizationId: organization.id, events: made };
}

/** 18:30 UTC of the day. */
function at(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 10)}T18:30:00Z`;
}

const VENUE = { city: "Berlin", country: "DE", location: { lat: 52.5, lng: 13.4 } };

function theatreEvening(organizationId: string, startsAt: string, seatingPlan: unknown): EventBody {
  return {
    organizationId,
    title: "The Tempest",
    description: "Shakespeare's last play, on the main stage.",
    category: "theatre",
    tags: ["shakespeare", "seated"],
    venue: { name: "Playhouse", ...VENUE },
    startsAt,
    timezone: "Europe/Berlin",
    priceCategories: [
      { key: "premium", name: "Premium", price: 7900 },
      { key: "stalls", name: "Stalls", price: 5400 },
      { key: "circle", name: "Circle", price: 3900 },
      { key: "box", name: "Box", price: 6900 },
      { key: "wheelchair", name: "Wheelchair", price: 2700 },
      { key: "companion", name: "Companion", price: 0 },
    ],
    seatingPlan,
    publish: true,
  };
}

function clubNight(organizationId: string, startsAt: string): EventBody {
  return {
    organizationId,
    title: "Night Shift",
    description: "House and techno until the morning.",
    category: "music",
    tags: ["club", "standing"],
    venue: { name: "Cellar", ...VENUE },
    startsAt,
    timezone: "Europe/Berlin",
    priceCategories: [{ key: "standing", name: "Standing", price: 1200 }],
    areas: [{ key: "floor", name: "Dance floor", capacity: 300, priceCategory: "standing" }],
    publish: true,
  };
}
