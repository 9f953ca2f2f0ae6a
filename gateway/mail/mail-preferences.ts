import type { Queries, Scoped } from "../tenancy/database.ts";
import { takeTurn } from "../tenancy/turn.ts";
import { ALL_ORGANIZATIONS, OPTIONAL_KINDS, type OptionalKind } from "./optional-kinds.ts";

/** What an address gets of what its reader may do without. */
export interface MailWishes {
  /** From whomever: true unless it was refused. */
  readonly wanted: Readonly<Record<OptionalKind, boolean>>;
  /** Those whose campaigns were refused one by one. */
  readonly refusedOrganizations: readonly string[];
}

/** What is not said stays as it is. */
export interface ChangedWishes {
  readonly wanted: Readonly<Partial<Record<OptionalKind, boolean>>>;
  readonly refusedOrganizations?: readonly string[];
}

/** Which mails their readers do not want, by the address's digest. */
export class MailPreferences {
  readonly #rows: Scoped;

  constructor(rows: Scoped) {
    this.#rows = rows;
  }

  async of(recipient: Buffer): Promise<MailWishes> {
    return wishesOf(this.#rows, recipient);
  }

  /** Repeated: the same. */
  async refuse(recipient: Buffer, kind: OptionalKind, organizationId: string): Promise<void> {
    await refuseAll(this.#rows, recipient, kind, [organizationId]);
  }

  /** Takes back one refusal. */
  async allow(recipient: Buffer, kind: OptionalKind, organizationId: string): Promise<void> {
    await allowAll(this.#rows, recipient, kind, [organizationId]);
  }

  change(recipient: Buffer, changed: ChangedWishes): Promise<MailWishes> {
    return this.#rows.transaction(async (within) => {
      await takeTurn(within, `mail preferences of ${recipient.toString("hex")}`);
      for (const kind of OPTIONAL_KINDS) {
        const isWanted = changed.wanted[kind];
        if (isWanted === true) await allowAll(within, recipient, kind, [ALL_ORGANIZATIONS]);
        if (isWanted === false) await refuseAll(within, recipient, kind, [ALL_ORGANIZATIONS]);
      }
      const named = changed.refusedOrganizations?.filter((id) => id !== ALL_ORGANIZATIONS);
      if (named !== undefined) {
        const { refusedOrganizations } = await wishesOf(within, recipient);
        const lifted = refusedOrganizations.filter((id) => !named.includes(id));
        await allowAll(within, recipient, "campaign", lifted);
        await refuseAll(within, recipient, "campaign", named);
      }
      return wishesOf(within, recipient);
    });
  }
}

async function wishesOf(rows: Queries, recipient: Buffer): Promise<MailWishes> {
  const { rows: refusals } = await rows.query<{ kind: string; organization_id: string }>(
    "SELECT kind, organization_id FROM mail_refusals WHERE recipient = $1 ORDER BY refused_at",
    [recipient],
  );
  const isWanted = (kind: OptionalKind): boolean =>
    !refusals.some((one) => one.kind === kind && one.organization_id === ALL_ORGANIZATIONS);
  return {
    wanted: { reminder: isWanted("reminder"), campaign: isWanted("campaign") },
    refusedOrganizations: refusals
      .filter((one) => one.kind === "campaign" && one.organization_id !== ALL_ORGANIZATIONS)
      .map((one) => one.organization_id),
  };
}

async function refuseAll(
  rows: Queries,
  recipient: Buffer,
  kind: OptionalKind,
  organizationIds: readonly string[],
): Promise<void> {
  await rows.query(
    `INSERT INTO mail_refusals (recipient, kind, organization_id)
     SELECT $1, $2, unnest($3::uuid[]) ON CONFLICT DO NOTHING`,
    [recipient, kind, organizationIds],
  );
}

async function allowAll(
  rows: Queries,
  recipient: Buffer,
  kind: OptionalKind,
  organizationIds: readonly string[],
): Promise<void> {
  await rows.query(
    `DELETE FROM mail_refusals
     WHERE recipient = $1 AND kind = $2 AND organization_id = ANY ($3::uuid[])`,
    [recipient, kind, organizationIds],
  );
}
