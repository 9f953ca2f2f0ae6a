import type { Database, Queries } from "../tenancy/database.ts";
import { platform } from "../tenancy/scope.ts";
import type { TrackedRecipient } from "./tracking-token.ts";

/** Who does not want their opens and clicks counted. */
export class TrackingObjections {
  readonly #rows: Queries;

  constructor(database: Database) {
    this.#rows = database.in(platform("campaigns", "who reads a mail has not signed in"));
  }

  /** In the name of whoever got that mail; of all organisations' mails. Repeated: the same. */
  async add({ campaignId, position }: TrackedRecipient): Promise<void> {
    await this.#rows.query("SELECT object_to_tracking($1, $2)", [campaignId, position]);
  }
}
