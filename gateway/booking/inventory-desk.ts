import type { ChangePlaces } from "../../engine/commands/change-places.ts";
import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { type DeskCore, type DeskRequest, Fault, unexpected } from "./desk-core.ts";
import { ok, onceMade, problem, type Settle } from "./desk-result.ts";
import { wantedPlacesOf } from "./inventory-request.ts";

/** What the organiser keeps from the sale, or adds to it. */
export class InventoryDesk {
  readonly #core: DeskCore;

  constructor(core: DeskCore) {
    this.#core = core;
  }

  change(eventId: EventId | null, request: DeskRequest, settle: Settle): void {
    this.#core.atEvent(eventId, settle, (event) => {
      const { identity } = request;
      this.#core.asOrganizer(event, identity, settle, () => {
        const wanted = wantedPlacesOf(request.body, event);
        if ("kind" in wanted) return settle(wanted);
        const key = this.#core.keyOf(request, ["inventory", event.eventId, wanted]);
        if (key instanceof Fault) return settle(key.problem);
        const command: ChangePlaces = {
          kind: "changePlaces",
          by: identity.userId,
          ...wanted,
          key,
        };
        this.#core.ask(event, command, settle, (_, answer, lsn) => {
          if (answer.kind !== "done" && answer.kind !== "unchanged") return unexpected();
          const fact = answer.kind === "done" ? answer.fact : null;
          const replayed = answer.kind === "done" && answer.replayed;
          const tell = fact === null ? settle : onceMade(settle);
          this.#core.guard(tell, this.#tell(event, { fact, lsn, replayed }, tell));
          return null;
        });
      });
    });
  }

  /**
   * Answers with what is for sale now, and the seq of the change. An event shows the capacities
   * that its actor's rows have (catalogue/event-store.ts): it is read anew once they are there.
   */
  async #tell(
    event: EventEntry,
    done: { readonly fact: Fact | null; readonly lsn: number; readonly replayed: boolean },
    settle: Settle,
  ): Promise<void> {
    const { router, directory, availabilityOf } = this.#core.ports;
    const { fact, lsn, replayed } = done;
    if (fact?.kind === "placesChanged" && fact.capacities.length > 0) {
      await router.whenProjected(router.shardOf(event.eventId), lsn);
      directory.forget(event.eventId);
    }
    const availability = await availabilityOf(event.eventId);
    if (availability === null) return settle(problem("busy"));
    settle(ok(200, fact === null ? availability : { ...availability, seq: fact.seq }, replayed));
  }
}
