import { FifoMap } from "../../../engine/fifo-map.ts";
import { OWN_TEMPLATE_TTL_MS, OWN_TEMPLATES_KEPT_MAX } from "../../../engine/notifier-limits.ts";
import type { Clock } from "../../../workers/clock.ts";
import type { Log } from "../../log.ts";
import type { MailLinks } from "../../mail/mail-order.ts";
import { BUILT_IN, type BuiltInKind, isEditable } from "../../mail/templates/built-in-templates.ts";
import type { Footnote, MailFrame } from "../../mail/templates/mail-layout.ts";
import {
  type MailTemplate,
  type RenderedMail,
  renderMail,
} from "../../mail/templates/mail-template.ts";
import { type OwnTemplate, withOwn } from "../../mail/templates/own-template.ts";
import { type MailVariables, TemplateFault } from "../../mail/templates/template-engine.ts";
import type { Queries } from "../../tenancy/database.ts";

export interface ComposerPorts {
  readonly rows: Queries;
  readonly links: MailLinks;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

export interface Wording {
  readonly kind: BuiltInKind;
  readonly to: string;
  /** null: the platform's own. */
  readonly organizationId: string | null;
  /** Whose name stands at the mail's head. */
  readonly sender: string;
  readonly variables: MailVariables;
}

interface Kept {
  /** null: the organisation has none of its own. */
  readonly template: MailTemplate | null;
  readonly updatedMs: number;
  readonly readAtMs: number;
  /** It has failed: not tried again before it is changed. */
  isBroken: boolean;
}

const PLATFORM = "Evently";

/**
 * Puts mails in words: the organisation's own, where it has some that work, else the built-in ones.
 * A mail is never held up by what its organiser has written.
 */
export class MailComposer {
  readonly #ports: ComposerPorts;
  readonly #own = new FifoMap<string, Kept>();
  #fallbacks = 0;

  constructor(ports: ComposerPorts) {
    this.#ports = ports;
  }

  /** Mails that got built-in words, since their own could not be filled in. */
  get fallbacks(): number {
    return this.#fallbacks;
  }

  async compose(wording: Wording): Promise<RenderedMail> {
    const { kind, organizationId, variables } = wording;
    const frame = this.#frame(wording);
    const own = organizationId === null ? null : await this.#ownOf(organizationId, kind);
    if (own !== null && own.template !== null && !own.isBroken) {
      try {
        return renderMail(own.template, variables, { frame });
      } catch (error) {
        if (!(error instanceof TemplateFault)) throw error;
        own.isBroken = true;
        this.#warn(wording, error);
      }
    }
    if (own?.isBroken === true) this.#fallbacks += 1;
    return renderMail(BUILT_IN[kind], variables, { frame });
  }

  #frame({ kind, to, organizationId, sender }: Wording): MailFrame {
    const { links } = this.#ports;
    const footnotes: Footnote[] = [];
    if (kind === "reminder") {
      const href = links.unsubscribe(to, kind, organizationId);
      footnotes.push({ text: "No more reminders", href });
    }
    if (isEditable(kind)) {
      footnotes.push({ text: "Choose which mails you get", href: links.preferences(to) });
    }
    return { sender: sender === "" ? PLATFORM : sender, footnotes, pixel: null };
  }

  async #ownOf(organizationId: string, kind: BuiltInKind): Promise<Kept | null> {
    if (!isEditable(kind)) return null;
    const key = `${organizationId} ${kind}`;
    const known = this.#own.get(key);
    const nowMs = this.#ports.clock.monotonicMs();
    if (known !== undefined && nowMs - known.readAtMs < OWN_TEMPLATE_TTL_MS) return known;
    const { rows } = await this.#ports.rows.query<{ template: OwnTemplate; updated_at: Date }>({
      name: "own-template",
      text: `SELECT template, updated_at FROM mail_templates
        WHERE organization_id = $1 AND kind = $2`,
      values: [organizationId, kind],
    });
    const [row] = rows;
    const updatedMs = row?.updated_at.getTime() ?? 0;
    const isSame = known !== undefined && known.updatedMs === updatedMs;
    const kept: Kept = isSame
      ? { ...known, readAtMs: nowMs }
      : {
          template: row === undefined ? null : withOwn(kind, row.template),
          updatedMs,
          readAtMs: nowMs,
          isBroken: false,
        };
    this.#own.set(key, kept);
    const oldest = this.#own.size > OWN_TEMPLATES_KEPT_MAX ? this.#own.oldestKey() : undefined;
    if (oldest !== undefined) this.#own.delete(oldest);
    return kept;
  }

  #warn({ kind, organizationId }: Wording, { message, line }: TemplateFault): void {
    const fields = { organizationId, mailKind: kind, reason: message, line };
    this.#ports.log.warn(fields, "an organisation's template failed: the built-in one is used");
  }
}
