import type { OrganizationId } from "../../../engine/ids.ts";
import type { Identity } from "../../identity/tokens.ts";
import type { Database, Queries } from "../../tenancy/database.ts";
import { asker } from "../../tenancy/scope.ts";
import type { EditableKind } from "./built-in-templates.ts";
import type { OwnTemplate } from "./own-template.ts";

export interface StoredTemplate {
  readonly kind: EditableKind;
  readonly own: OwnTemplate;
  /** RFC 3339 */
  readonly updatedAt: string;
}

interface Row {
  readonly kind: EditableKind;
  readonly template: OwnTemplate;
  readonly updated_at: Date;
}

/** What organisations have put in place of built-in words, in PostgreSQL. */
export class MailTemplates {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(identity: Identity, organizationId: OrganizationId): Promise<StoredTemplate[]> {
    const { rows } = await this.#as(identity).query<Row>(
      "SELECT kind, template, updated_at FROM mail_templates WHERE organization_id = $1",
      [organizationId],
    );
    return rows.map(storedOf);
  }

  /** null: the built-in one is used. */
  async find(
    identity: Identity,
    organizationId: OrganizationId,
    kind: EditableKind,
  ): Promise<StoredTemplate | null> {
    const { rows } = await this.#as(identity).query<Row>(
      `SELECT kind, template, updated_at FROM mail_templates
       WHERE organization_id = $1 AND kind = $2`,
      [organizationId, kind],
    );
    return rows[0] === undefined ? null : storedOf(rows[0]);
  }

  /** One that has been checked. */
  async keep(
    identity: Identity,
    organizationId: OrganizationId,
    { kind, own }: Pick<StoredTemplate, "kind" | "own">,
  ): Promise<StoredTemplate> {
    const { rows } = await this.#as(identity).query<Row>(
      `INSERT INTO mail_templates (organization_id, kind, template) VALUES ($1, $2, $3)
       ON CONFLICT (organization_id, kind)
         DO UPDATE SET template = excluded.template, updated_at = now()
       RETURNING kind, template, updated_at`,
      [organizationId, kind, JSON.stringify(own)],
    );
    const [row] = rows;
    if (row === undefined) throw new Error("an upsert returned no row");
    return storedOf(row);
  }

  async remove(
    identity: Identity,
    organizationId: OrganizationId,
    kind: EditableKind,
  ): Promise<void> {
    const text = "DELETE FROM mail_templates WHERE organization_id = $1 AND kind = $2";
    await this.#as(identity).query(text, [organizationId, kind]);
  }

  #as(identity: Identity): Queries {
    return this.#database.in(asker(identity));
  }
}

const storedOf = ({ kind, template, updated_at }: Row): StoredTemplate => ({
  kind,
  own: template,
  updatedAt: updated_at.toISOString(),
});
