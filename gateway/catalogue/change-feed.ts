import { DatabaseFeed } from "../database-feed.ts";
import type { Log } from "../log.ts";

/** What may have changed; `all`: anything. */
export type CatalogueChange =
  | { readonly kind: "event" | "organization" | "members"; readonly id: string }
  | { readonly kind: "all" };

export interface FeedListener {
  changed(change: CatalogueChange): void;
  /** From now on changes may go unheard. */
  deaf(): void;
  /** From now on every change is heard; what came before may not have been. */
  hearing(): void;
}

const NOTICE = /^(event|organization|members) ([0-9a-f-]{36})$/;

/**
 * What any node has changed in the catalogue, as PostgreSQL tells it
 * (sql/017.do.change-notices.sql).
 */
export function changeFeed(
  databaseUrl: string,
  listener: FeedListener,
  log: Pick<Log, "warn">,
): DatabaseFeed {
  return new DatabaseFeed({
    databaseUrl,
    channel: "evently_catalogue",
    ear: {
      heard: (payload) => listener.changed(changeOf(payload)),
      deaf: () => listener.deaf(),
      hearing: () => listener.hearing(),
    },
    log,
    loss: "changes of the catalogue are not heard",
  });
}

function changeOf(payload: string): CatalogueChange {
  const [, kind, id] = NOTICE.exec(payload) ?? [];
  const isKnown = kind === "event" || kind === "organization" || kind === "members";
  return isKnown && id !== undefined ? { kind, id } : { kind: "all" };
}
