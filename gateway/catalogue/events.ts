import type { InventoryDefinition } from "../../engine/definition.ts";
import type { EventId, OrganizationId, UserId } from "../../engine/ids.ts";
import { ProblemError } from "../http/problem.ts";
import { validationFailed } from "../http/validation.ts";
import type { Identity } from "../identity/tokens.ts";
import { platform } from "../tenancy/scope.ts";
import { changedEvent, type EventChangesBody } from "./event-changes.ts";
import {
  type ChangeableEvent,
  type EventBody,
  inventoryDefinitionOf,
  parseEventDraft,
} from "./event-definition.ts";
import type { EventDirectory } from "./event-directory.ts";
import { type EventStatus, type EventStore, isPrivate, type StoredEvent } from "./event-store.ts";
import type { Organizations } from "./organizations.ts";
import type { SeatingPlans } from "./seating-plans.ts";
import type { Venues } from "./venues.ts";

/** The engine, as far as the catalogue knows it. */
export interface InventoryPort {
  /**
   * Creates an event's inventory or changes its sale rules. Resolves once that is in the database;
   * throws ProblemError (`busy`, `timeout`) when that is not certain. Repeating it is harmless.
   * `by`: who asked for the change, for the event's log.
   */
  configure(definition: InventoryDefinition, by: UserId): Promise<void>;
}

/** An event, and whether it is what it is by this call. */
export interface Moved {
  readonly event: StoredEvent;
  readonly isChange: boolean;
}

export interface EventsPorts {
  readonly store: EventStore;
  readonly organizations: Organizations;
  readonly directory: EventDirectory;
  readonly inventory: InventoryPort;
  readonly venues: Venues;
  readonly plans: SeatingPlans;
}

const BEGUN = platform("admin", "whoever began it may have lost their right to it since");

/** Changes of one event that may overtake each other while the engine is told of the first. */
const TELLS_MAX = 10;

/**
 * What organisers do with events.
 *
 * Invariants:
 * - A published row always has an inventory: the engine is configured before the row says so. The
 *   other way round a step may be lost (the inventory exists, the row is still a draft): publishing
 *   again repairs it.
 * - The engine is told what the row says, never what a request said, and whoever has told it looks
 *   at the row again: when that has changed meanwhile they tell it once more. So the last thing
 *   that the engine hears is what the last change has stored, in whichever order requests end. One
 *   that ends half-way (`busy`) left its change in the row; the next one tells the engine of both.
 * - What has begun goes on to its end, also when whoever asked for it may no longer ask for it.
 */
export class Events {
  readonly #store: EventStore;
  /** For what has begun. */
  readonly #begun: EventStore;
  readonly #organizations: Organizations;
  readonly #directory: EventDirectory;
  readonly #inventory: InventoryPort;
  readonly #venues: Venues;
  readonly #plans: SeatingPlans;

  constructor({ store, organizations, directory, inventory, venues, plans }: EventsPorts) {
    this.#store = store;
    this.#begun = store.in(BEGUN);
    this.#organizations = organizations;
    this.#directory = directory;
    this.#inventory = inventory;
    this.#venues = venues;
    this.#plans = plans;
  }

  /** Throws organization_not_found, forbidden, validation_failed, and what publishing throws. */
  async create(identity: Identity, body: EventBody): Promise<StoredEvent> {
    const organization = await this.#organizations.requireOrganizer(identity, body.organizationId);
    const { id } = organization;
    const placed = await this.#withVenue(identity, id, body);
    const whole = await this.#withPlan(identity, id, placed);
    const draft = parseEventDraft(whole, { currency: organization.currency });
    if (!draft.ok) throw validationFailed(draft.errors);
    const store = this.#store.as(identity);
    const eventId = await store.insert(draft.value, organization.id);
    this.#directory.forget(eventId);
    const event = await existing(this.#begun, eventId);
    if (body.publish !== true) return event;
    try {
      return await this.#publish(store, event, identity.userId);
    } catch (error) {
      await store.removeDraft(eventId);
      throw error;
    }
  }

  /** Repeated: the same answer. */
  async publish(identity: Identity, eventId: EventId): Promise<Moved> {
    const store = this.#store.as(identity);
    const event = await this.#requireOrganized(store, identity, eventId);
    refuseCancelled(event);
    if (event.status === "published") return { event, isChange: false };
    return { event: await this.#publish(store, event, identity.userId), isChange: true };
  }

  /**
   * Changes what is stored, and what the engine sells by when the event is published. Throws
   * validation_failed, event_cancelled, and `busy` when the engine does not know of it yet:
   * repeating it is harmless.
   */
  async change(identity: Identity, eventId: EventId, body: EventChangesBody): Promise<StoredEvent> {
    const store = this.#store.as(identity);
    const { organizationId } = await this.#requireOrganized(store, identity, eventId);
    const takeCharges = body.takeOrganizationCharges === true;
    const whole = await this.#withVenue(identity, organizationId, body);
    const change = (event: StoredEvent): ChangeableEvent => {
      refuseCancelled(event);
      const changed = changedEvent(event, whole);
      if (!changed.ok) throw validationFailed(changed.errors);
      return changed.value;
    };
    const changed = await store.change(eventId, change, { takeCharges });
    this.#directory.forget(eventId);
    if (changed === null) throw await whyUnchanged(store, eventId);
    // Whoever is publishing a draft will find that it has changed.
    if (changed.status === "draft") return changed;
    return this.#settle({ eventId, told: null, by: identity.userId });
  }

  /** Ends the sale; what was booked stays booked. Repeated: the same answer. */
  async cancel(identity: Identity, eventId: EventId): Promise<Moved> {
    const store = this.#store.as(identity);
    const event = await this.#requireOrganized(store, identity, eventId);
    if (event.status === "cancelled") return { event, isChange: false };
    if (!(await store.beginCancelling(eventId))) throw await whyUnchanged(store, eventId);
    const { status } = event;
    if (status === "published") {
      await this.#settle({ eventId, told: null, by: identity.userId });
    }
    await this.#move(eventId, { from: status, to: "cancelled" });
    const now = await existing(this.#begun, eventId);
    // It was published between our reading and our writing.
    if (now.status === "published") return this.cancel(identity, eventId);
    return { event: now, isChange: true };
  }

  /** Throws event_not_found, forbidden: to who may not sell the event. */
  async requireOrganized(identity: Identity, eventId: EventId): Promise<void> {
    await this.#requireOrganized(this.#store.as(identity), identity, eventId);
  }

  /** Removes a draft. Throws `event_not_draft` for what has been published. */
  async remove(identity: Identity, eventId: EventId): Promise<void> {
    const store = this.#store.as(identity);
    const { status } = await this.#requireOrganized(store, identity, eventId);
    const isRemoved = status === "draft" && (await store.removeDraft(eventId));
    this.#directory.forget(eventId);
    if (!isRemoved && (await store.find(eventId)) !== null) {
      throw new ProblemError("event_not_draft");
    }
  }

  /** With a copy of the organisation's venue where its id is given. */
  async #withVenue<Body extends Pick<EventBody, "venue" | "venueId">>(
    identity: Identity,
    organizationId: OrganizationId,
    body: Body,
  ): Promise<Body> {
    const { venueId } = body;
    if (venueId === undefined || venueId === null) return body;
    if (body.venue) throw notBoth("venueId", "venue");
    const kept = await this.#venues.as(identity).find(organizationId, venueId);
    if (kept === null) throw notKept("venueId", "venue");
    const { id: _, createdAt: __, updatedAt: ___, ...venue } = kept;
    return { ...body, venue };
  }

  /** With the organisation's seating plan where its id is given. */
  async #withPlan(
    identity: Identity,
    organizationId: OrganizationId,
    body: EventBody,
  ): Promise<EventBody> {
    const { seatingPlanId } = body;
    if (seatingPlanId === undefined || seatingPlanId === null) return body;
    const isGiven = body.seatingPlan !== undefined && body.seatingPlan !== null;
    if (isGiven) throw notBoth("seatingPlanId", "seatingPlan");
    const kept = await this.#plans.as(identity).find(organizationId, seatingPlanId);
    if (kept === null) throw notKept("seatingPlanId", "seating plan");
    return { ...body, seatingPlan: kept.plan };
  }

  async #publish(store: EventStore, { eventId }: StoredEvent, by: UserId): Promise<StoredEvent> {
    if (!(await store.takeCharges(eventId))) throw await whyUnchanged(store, eventId);
    const event = await existing(this.#begun, eventId);
    const definition = await this.#definitionOf(event);
    await this.#inventory.configure(definition, by);
    if (!(await this.#move(eventId, { from: "draft", to: "published" }))) {
      // It was removed or cancelled between our reading and our writing, and stays so.
      const now = await this.#begun.find(eventId);
      if (now === null || now.status === "cancelled") {
        const last = now === null ? definition : await this.#definitionOf(now);
        await this.#inventory.configure({ ...last, status: "cancelled" }, by);
        throw new ProblemError(now === null ? "event_not_found" : "event_cancelled");
      }
    }
    return this.#settle({ eventId, told: event.version, by });
  }

  /** Tells the engine until it knows what is stored. `told` is the version that it knows. */
  async #settle({
    eventId,
    told,
    by,
  }: {
    readonly eventId: EventId;
    readonly told: number | null;
    readonly by: UserId;
  }): Promise<StoredEvent> {
    let known = told;
    for (let tells = 0; tells <= TELLS_MAX; tells += 1) {
      const event = await existing(this.#begun, eventId);
      if (event.version === known) return event;
      await this.#inventory.configure(await this.#definitionOf(event), by);
      known = event.version;
    }
    throw new ProblemError("busy");
  }

  async #definitionOf(event: StoredEvent): Promise<InventoryDefinition> {
    const geometry = await this.#begun.geometryOf(event.eventId);
    const isOver = event.cancelling || event.status === "cancelled";
    return inventoryDefinitionOf({ ...event, ...geometry }, isOver ? "cancelled" : "published");
  }

  async #move(
    eventId: EventId,
    { from, to }: { readonly from: EventStatus; readonly to: EventStatus },
  ): Promise<boolean> {
    const moved = await this.#begun.move(eventId, from, to);
    this.#directory.forget(eventId);
    return moved;
  }

  /** Throws event_not_found, also for a private one of others; forbidden. */
  async #requireOrganized(
    store: EventStore,
    identity: Identity,
    eventId: EventId,
  ): Promise<StoredEvent> {
    const event = await existing(store, eventId);
    if (await this.#organizations.isOrganizer(identity, event.organizationId)) return event;
    const isHidden =
      isPrivate(event) && !(await this.#organizations.isMember(identity, event.organizationId));
    throw new ProblemError(isHidden ? "event_not_found" : "forbidden");
  }
}

async function existing(store: EventStore, eventId: EventId): Promise<StoredEvent> {
  const event = await store.find(eventId);
  if (event === null) throw new ProblemError("event_not_found");
  return event;
}

/** Somebody who could change it a moment ago. */
async function whyUnchanged(store: EventStore, eventId: EventId): Promise<ProblemError> {
  const isThere = (await store.find(eventId)) !== null;
  return new ProblemError(isThere ? "forbidden" : "event_not_found");
}

function refuseCancelled({ status, cancelling }: StoredEvent): void {
  if (status === "cancelled" || cancelling) throw new ProblemError("event_cancelled");
}

const notBoth = (path: string, other: string): ProblemError =>
  validationFailed([{ path, message: `can't be given beside ${other}` }]);

const notKept = (path: string, thing: string): ProblemError =>
  validationFailed([{ path, message: `is no ${thing} of the organisation` }]);
