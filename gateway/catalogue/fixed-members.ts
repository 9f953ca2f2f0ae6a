import { isDeepStrictEqual } from "node:util";
import type { FieldError } from "../http/validation.ts";
import type { Area } from "./event-definition.ts";
import type { StoredEvent } from "./event-store.ts";
import { eventView } from "./event-view.ts";

type Members = Readonly<Record<string, unknown>>;

const FIXED = "can't be changed once the event is made";
const CAPACITY = "can't be changed here: PATCH …/inventory changes the capacities of areas";
const STATUS = "can't be changed here: POST …/publish and …/cancel do that";
const CHARGES =
  "can't be changed here: takeOrganizationCharges takes what the organisation charges";

/** What an event is made with, or shown with, and PATCH does not change: and who does. */
const HINTS: Readonly<Record<string, string>> = {
  id: FIXED,
  organizationId: FIXED,
  timezone: FIXED,
  currency: FIXED,
  seatingPlan: FIXED,
  seatingPlanId: FIXED,
  seatCategories: FIXED,
  seatCount: FIXED,
  areas: CAPACITY,
  capacity: CAPACITY,
  publish: STATUS,
  status: STATUS,
  fees: CHARGES,
  tax: CHARGES,
};

/**
 * What a change asks for that no change does. Whoever sends back the event as they read it asks for
 * nothing, and null is a member that is not said.
 */
export function fixedMemberErrors(event: StoredEvent, body: object): FieldError[] {
  const now: Members = { ...eventView(event), publish: event.status === "published" };
  const asked: Members = { ...body };
  return Object.entries(HINTS).flatMap(([path, message]) => {
    const member = asked[path];
    if (member === undefined || member === null) return [];
    const isSame =
      path === "areas" ? areSame(event.areas, member) : isDeepStrictEqual(member, now[path]);
    return isSame ? [] : [{ path, message }];
  });
}

/** Whether these are the event's areas, in any order, as far as each is described. */
function areSame(areas: readonly Area[], asked: unknown): boolean {
  if (!Array.isArray(asked) || asked.length !== areas.length) return false;
  return areas.every((area) => {
    const one: unknown = asked.find((other) => isRecord(other) && other.key === area.key);
    if (!isRecord(one)) return false;
    return Object.entries(area).every(([name, value]) => (one[name] ?? value) === value);
  });
}

const isRecord = (value: unknown): value is Members => typeof value === "object" && value !== null;
