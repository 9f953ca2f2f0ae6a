import type { UserId } from "../../../engine/ids.ts";
import type { Clock } from "../../../workers/clock.ts";
import type { MailAttachment, MailEnd, Mailer, MailOrder } from "../../mail/mail-order.ts";
import type { BuiltInKind } from "../../mail/templates/built-in-templates.ts";
import type { MailVariables } from "../../mail/templates/template-engine.ts";
import { DONE, type JobEnd } from "../job.ts";
import type { MailComposer } from "./mail-composer.ts";
import type { MessageReader, Person, ToldEvent } from "./message-reader.ts";
import type { Reader } from "./message-words.ts";
import type { ParcelPorts } from "./ticket-parcel.ts";

export interface DeskPorts {
  readonly reader: MessageReader;
  readonly composer: MailComposer;
  readonly mailer: Mailer;
  readonly parcels: ParcelPorts;
  /** Without a slash at its end; null: mails have no links. */
  readonly publicUrl: string | null;
  readonly clock: Clock;
}

/** What one mail about an event is made of. */
export interface EventMail {
  readonly key: string;
  readonly kind: BuiltInKind;
  readonly to: Person;
  readonly told: ToldEvent;
  /** Called only for what is to be sent now. */
  words(reader: Reader): Promise<WordsAndParcel>;
}

export interface WordsAndParcel {
  readonly variables: MailVariables;
  readonly attachments: readonly MailAttachment[];
}

/** Hands mails about events to the mailer, in their organisation's words. */
export class MessageDesk {
  readonly ports: DeskPorts;

  constructor(ports: DeskPorts) {
    this.ports = ports;
  }

  /** Whom a booking's mails go to; null: nobody has left an address. */
  async addressee(userId: UserId, email: string | null): Promise<Person | null> {
    const account = await this.ports.reader.person(userId);
    const address = email ?? account?.email ?? null;
    return address === null ? null : { email: address, firstName: account?.firstName ?? null };
  }

  async send({ key, kind, to, told, words }: EventMail): Promise<JobEnd> {
    const { composer, mailer, publicUrl } = this.ports;
    const { organizationId } = told.event;
    const order: MailOrder = { key, kind, to: to.email, organizationId };
    const end = await mailer.send(order, async () => {
      const { variables, attachments } = await words({ firstName: to.firstName, publicUrl });
      const sender = told.organizer;
      const wording = { kind, to: to.email, organizationId, sender, variables };
      const mail = await composer.compose(wording);
      return { ...mail, attachments, fromName: sender, replyTo: null };
    });
    return jobEndOf(end);
  }
}

/** A mail that is not to be sent is done, too. */
export function jobEndOf(end: MailEnd): JobEnd {
  switch (end.end) {
    case "sent":
    case "already":
    case "in_doubt":
    case "suppressed":
      return DONE;
    case "later":
    case "again":
    case "dead":
      return end;
  }
}
