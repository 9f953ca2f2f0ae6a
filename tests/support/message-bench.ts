/**
 * The notifier's part that writes mails, on a node's database, with a queue and a mailer in memory:
 * what it would send is made into a real message and read by a real parser.
 */
import { type ParsedMail, simpleParser } from "mailparser";
import { createTransport } from "nodemailer";
import { readConfig } from "../../gateway/config.ts";
import type { MailEnd, Mailer, MailOrder } from "../../gateway/mail/mail-order.ts";
import type { JobEnd, JobQueue, NewJob } from "../../gateway/notifier/job.ts";
import { messagesPart } from "../../gateway/notifier/messages/messages-part.ts";
import type { NotifierGround, NotifierPart } from "../../gateway/notifier/notifier-part.ts";
import type { OutboxEntry } from "../../gateway/notifier/outbox-entry.ts";
import type { Scoped } from "../../gateway/tenancy/database.ts";
import { systemClock } from "../../workers/clock.ts";
import { type OwnerRows, openOwnerRows } from "./owner-rows.ts";

export interface SentMail {
  readonly order: MailOrder;
  readonly mail: ParsedMail;
  /** As it would travel. */
  readonly raw: Buffer;
}

export const JWT_SECRET = "a secret of the tests";
export const SHOP = "https://shop.example.org";

class FakeQueue implements JobQueue {
  readonly jobs: NewJob[] = [];
  /** What `waiting` says. */
  load = 0;

  add(jobs: readonly NewJob[]): Promise<void> {
    for (const job of jobs) {
      if (!this.jobs.some(({ kind, key }) => kind === job.kind && key === job.key)) {
        this.jobs.push(structuredClone(job));
      }
    }
    return Promise.resolve();
  }

  waiting(): number {
    return this.load;
  }
}

/** Sends each key once, as the real one does, and keeps what it sent. */
class FakeMailer implements Mailer {
  readonly sent: SentMail[] = [];
  readonly #composer = createTransport({ streamTransport: true, buffer: true });

  async send(order: MailOrder, compose: ComposeOf): Promise<MailEnd> {
    if (this.sent.some((known) => known.order.key === order.key)) return { end: "already" };
    const { subject, html, text, attachments, fromName } = await compose();
    const { message } = await this.#composer.sendMail({
      from: { name: fromName ?? "Evently", address: "no-reply@example.org" },
      to: order.to,
      subject,
      text,
      ...(html === null ? {} : { html }),
      attachments: attachments.map(({ filename, contentType, content, cid }) => ({
        filename,
        contentType,
        content,
        ...(cid === undefined ? {} : { cid }),
      })),
    });
    if (!Buffer.isBuffer(message)) throw new Error("a buffer was asked for");
    this.sent.push({ order, mail: await simpleParser(message), raw: message });
    return { end: "sent" };
  }
}
type ComposeOf = Parameters<Mailer["send"]>[1];

export class MessageBench {
  readonly queue = new FakeQueue();
  readonly mailer = new FakeMailer();
  readonly warnings: { readonly fields: unknown; readonly message: string | undefined }[] = [];
  readonly rows: Scoped;
  /** What the part stands on; others may stand there, too. */
  readonly ground: NotifierGround;
  readonly part: NotifierPart;
  /** Whether PostgreSQL has what anybody was told; asked for each change that is to be told. */
  isStored: () => boolean = () => true;
  /** Unix ms; null: the machine's. */
  nowMs: number | null = null;
  #rows: OwnerRows | null = null;

  /** `databaseUrl` is asked for with the first statement. */
  constructor(databaseUrl: () => string) {
    const rows = (): OwnerRows => {
      this.#rows ??= openOwnerRows(databaseUrl());
      return this.#rows;
    };
    this.rows = {
      query: (statement, values) => rows().query(statement, values),
      transaction: (work) => rows().transaction(work),
    };
    const log = {
      info: () => undefined,
      error: () => undefined,
      warn: (fields: unknown, message?: string) => this.warnings.push({ fields, message }),
    };
    const clock = { ...systemClock, wallMs: () => this.nowMs ?? Date.now() };
    const courtesy = {
      patientTurn: () => Promise.resolve(),
      charge: () => undefined,
      isQuiet: false,
    };
    const config = readConfig({ PUBLIC_URL: `${SHOP}/` });
    const apiUrl = "https://api.example.org";
    const { rows: owned, queue } = this;
    const secret = { jwtSecret: JWT_SECRET };
    const whenTold = () => Promise.resolve(this.isStored());
    const lines = { rows: owned, queue, courtesy, clock, log, whenTold };
    this.ground = { config, ...secret, apiUrl, ...lines };
    this.part = messagesPart(this.ground, {
      mailer: this.mailer,
      links: {
        unsubscribe: (to, kind) => `${apiUrl}/unsubscribe?to=${to}&kind=${kind}`,
        preferences: (to) => `${apiUrl}/preferences?to=${to}`,
      },
    });
  }

  /** Mails that follow from these entries, in the order in which they were sent. */
  async follow(...entries: OutboxEntry[]): Promise<SentMail[]> {
    await this.queue.add((await this.part.follow?.(entries, this.rows)) ?? []);
    return this.work();
  }

  /** What has become due by now. */
  async tick(): Promise<SentMail[]> {
    await this.part.tick?.run();
    return this.work();
  }

  /** Does all jobs, those that they add too, and answers with the mails. */
  async work(): Promise<SentMail[]> {
    const from = this.mailer.sent.length;
    for (let job = this.queue.jobs.shift(); job !== undefined; job = this.queue.jobs.shift()) {
      await this.run(job);
    }
    return this.mailer.sent.slice(from);
  }

  run({ kind, data, key }: NewJob, part = this.part): Promise<JobEnd> {
    const handler = part.handlers.find((one) => one.kind === kind);
    if (handler === undefined) throw new Error(`nobody does ${kind}`);
    const job = { id: key ?? "", data, begunBefore: 0 };
    return handler.handle(job, new AbortController().signal);
  }

  async close(): Promise<void> {
    await this.part.stop?.();
    await this.#rows?.end();
  }
}
