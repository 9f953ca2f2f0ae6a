import type { InventoryDefinition } from "../../engine/definition.ts";
import type { EventId } from "../../engine/ids.ts";
import { ProblemError } from "../http/problem.ts";
import { validationFailed } from "../http/validation.ts";
import type { Identity } from "../identity/tokens.ts";
import { type EventBody, inventoryDefinitionOf, parseEventDraft } from "./event-definition.ts";
import type { EventDirectory } from "./event-directory.ts";
import type { EventStatus, EventStore, StoredEvent } from "./event-store.ts";
import type { Organizations } from "./organizations.ts";

/** The engine, as far as the catalogue knows it. */
export interface InventoryPort {
  /**
   * Creates an event's inventory or changes its sale rules. Resolves once that is in the database;
   * throws ProblemError (`busy`, `timeout`) when that is not certain. Repeating it is harmless.
   */
  configure(definition: InventoryDefinition): Promise<void>;
}

export interface EventsPorts {
  readonly store: EventStore;
  readonly organizations: Organizations;
  readonly directory: EventDirectory;
  readonly inventory: InventoryPort;
}

/**
 * What organisers do with events.
 *
 * A published row always has an inventory: the engine is configured before the row says so. The
 * other way round a step may be lost (the inventory exists, the row is still a draft): publishing
 * again repairs it.
 */
export class Events {
  readonly #store: EventStore;
  readonly #organizations: Organizations;
  readonly #directory: EventDirectory;
  readonly #inventory: InventoryPort;

  constructor({ store, organizations, directory, inventory }: EventsPorts) {
    this.#store = store;
    this.#organizations = organizations;
    this.#directory = directory;
    this.#inventory = inventory;
  }

  /** Throws organization_not_found, forbidden, validation_failed, and what publishing throws. */
  async create(identity: Identity, body: EventBody): Promise<StoredEvent> {
    const organization = await this.#organizations.requireOrganizer(identity, body.organizationId);
    const draft = parseEventDraft(body, { currency: organization.currency });
    if (!draft.ok) throw validationFailed(draft.errors);
    const eventId = await this.#store.insert(draft.value, organization.id);
    this.#directory.forget(eventId);
    if (body.publish !== true) return this.#existing(eventId);
    try {
      return await this.#publish(await this.#existing(eventId));
    } catch (error) {
      await this.#store.removeDraft(eventId);
      throw error;
    }
  }

  /** Repeated: the same answer. */
  async publish(identity: Identity, eventId: EventId): Promise<StoredEvent> {
    const event = await this.#requireOrganized(identity, eventId);
    if (event.status === "cancelled") throw new ProblemError("event_cancelled");
    return event.status === "published" ? event : this.#publish(event);
  }

  /** Ends the sale; what was booked stays booked. Repeated: the same answer. */
  async cancel(identity: Identity, eventId: EventId): Promise<StoredEvent> {
    const event = await this.#requireOrganized(identity, eventId);
    if (event.status === "cancelled") return event;
    if (event.status === "published") await this.#configure(event, "cancelled");
    await this.#move(eventId, event.status, "cancelled");
    const now = await this.#existing(eventId);
    // It was published between our reading and our writing.
    return now.status === "published" ? this.cancel(identity, eventId) : now;
  }

  async #publish(event: StoredEvent): Promise<StoredEvent> {
    const { eventId } = event;
    await this.#configure(event, "published");
    if (!(await this.#move(eventId, "draft", "published"))) {
      const now = await this.#existing(eventId);
      if (now.status === "cancelled") {
        // It was cancelled between our reading and our writing: the cancellation stays.
        await this.#configure(event, "cancelled");
        throw new ProblemError("event_cancelled");
      }
    }
    return this.#existing(eventId);
  }

  async #configure(event: StoredEvent, status: InventoryDefinition["status"]): Promise<void> {
    const seats = await this.#store.seatsOf(event.eventId);
    await this.#inventory.configure(inventoryDefinitionOf({ ...event, seats }, status));
  }

  async #move(eventId: EventId, from: EventStatus, to: EventStatus): Promise<boolean> {
    const moved = await this.#store.move(eventId, from, to);
    this.#directory.forget(eventId);
    return moved;
  }

  /** Throws event_not_found, also for a draft of others; forbidden. */
  async #requireOrganized(identity: Identity, eventId: EventId): Promise<StoredEvent> {
    const event = await this.#existing(eventId);
    if (await this.#organizations.isOrganizer(identity, event.organizationId)) return event;
    const isHidden =
      event.status === "draft" &&
      !(await this.#organizations.isMember(identity, event.organizationId));
    throw new ProblemError(isHidden ? "event_not_found" : "forbidden");
  }

  async #existing(eventId: EventId): Promise<StoredEvent> {
    const event = await this.#store.find(eventId);
    if (event === null) throw new ProblemError("event_not_found");
    return event;
  }
}
