/** A real mail server that keeps what it is given, and misbehaves when it is told to. */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { SMTPServer, type SMTPServerSession } from "smtp-server";

export interface ReceivedMail {
  readonly to: string;
  /** As it came, without the dots of SMTP. */
  readonly raw: string;
}

/** What is said in place of 250. */
export interface SmtpRefusal {
  readonly code: number;
  readonly text: string;
}

export interface SinkManners {
  /** Of a recipient. */
  rcpt?: (to: string) => SmtpRefusal | null;
  /** Of a mail that has come. */
  data?: (to: string) => SmtpRefusal | null;
  /** The line breaks: after some of the mail, or after all of it (which is kept). */
  breaks?: (to: string) => "in_data" | "after_data" | null;
  /** Nothing is answered to a mail that has come; it is kept. */
  hangsAtEnd?: boolean;
  /** Nothing is answered any more. */
  hangs?: boolean;
}

export class MailSink {
  readonly received: ReceivedMail[] = [];
  readonly manners: SinkManners = {};
  connectionsCount = 0;
  readonly #sockets = new Map<string, Socket>();
  readonly #server: SMTPServer;

  constructor() {
    this.#server = new SMTPServer({
      disabledCommands: ["AUTH", "STARTTLS"],
      logger: false,
      // Some clients are gone before they have said goodbye.
      closeTimeout: 100,
      onConnect: (_session, done) => {
        this.connectionsCount += 1;
        if (this.manners.hangs !== true) done();
      },
      onRcptTo: ({ address }, _session, done) => {
        if (this.manners.hangs === true) return;
        done(errorOf(this.manners.rcpt?.(address) ?? null));
      },
      onData: (stream, session, done) => {
        const to = recipientOf(session);
        const breaks = this.manners.breaks?.(to) ?? null;
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          if (breaks === "in_data") this.#socketOf(session)?.destroy();
        });
        stream.on("end", () => {
          if (this.manners.hangs === true || breaks === "in_data") return;
          const refusal = this.manners.data?.(to) ?? null;
          if (refusal === null) {
            this.received.push({ to, raw: Buffer.concat(chunks).toString("latin1") });
          }
          if (this.manners.hangsAtEnd === true) return;
          if (breaks === "after_data") this.#socketOf(session)?.destroy();
          else done(errorOf(refusal));
        });
      },
    });
    this.#server.on("error", () => undefined);
    this.#server.server.on("connection", (socket: Socket) => {
      this.#sockets.set(`${socket.remoteAddress}:${socket.remotePort}`, socket);
      socket.on("error", () => undefined);
    });
  }

  async open(port = 0): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server.server, "listening");
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  to(address: string): ReceivedMail[] {
    return this.received.filter((mail) => mail.to === address);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.values()) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #socketOf({ remoteAddress, remotePort }: SMTPServerSession): Socket | undefined {
    return (
      this.#sockets.get(`${remoteAddress}:${remotePort}`) ??
      this.#sockets.get(`::ffff:${remoteAddress}:${remotePort}`)
    );
  }
}

function recipientOf({ envelope }: SMTPServerSession): string {
  return envelope.rcptTo[0]?.address ?? "";
}

function errorOf(refusal: SmtpRefusal | null): Error | null {
  return refusal === null
    ? null
    : Object.assign(new Error(refusal.text), { responseCode: refusal.code });
}
