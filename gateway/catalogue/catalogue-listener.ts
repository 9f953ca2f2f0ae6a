import { parseEventId, parseOrganizationId } from "../../engine/ids.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { CatalogueChange, FeedListener } from "./change-feed.ts";
import type { EventDirectory } from "./event-directory.ts";
import type { KnownStrangers } from "./known-strangers.ts";
import type { SearchPages } from "./search/search-pages.ts";

export interface CatalogueCaches {
  readonly directory: EventDirectory;
  readonly pages: SearchPages;
  readonly strangers: KnownStrangers;
}

/**
 * Keeps what this node knows of the catalogue true, whoever changes it.
 *
 * Invariant: whenever the directory forgets or doubts an event, no page of a search is kept either.
 */
export class CatalogueListener implements FeedListener {
  readonly #caches: CatalogueCaches;

  constructor(caches: CatalogueCaches) {
    this.#caches = caches;
    caches.directory.listen(() => caches.pages.clear());
  }

  changed(change: CatalogueChange): void {
    const { directory, strangers } = this.#caches;
    switch (change.kind) {
      case "event": {
        const eventId = parseEventId(change.id);
        return eventId === null ? undefined : directory.forget(eventId);
      }
      case "organization": {
        const id = parseOrganizationId(change.id);
        return id === null ? undefined : directory.forgetOrganization(id);
      }
      case "members":
        return strangers.clear();
      case "all":
        strangers.clear();
        return directory.forgetAll();
      default:
        return unreachable(change);
    }
  }

  deaf(): void {
    this.#caches.directory.deaf();
  }

  hearing(): void {
    this.#caches.strangers.clear();
    this.#caches.directory.hearing();
  }
}
