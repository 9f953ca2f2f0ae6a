import type { SendMailOptions } from "nodemailer";
import type { Handover } from "./handover.ts";

/** A mail as nodemailer writes it. */
export interface WrittenMail extends SendMailOptions {
  readonly messageId: string;
}

/** How mails leave. */
export interface MailTransport {
  readonly name: string;
  /** Resolves when the mail was taken; rejects with what `failureOf` reads. */
  deliver(mail: WrittenMail, handover: Handover, way: MailWay): Promise<void>;
  /** Whatever is still on its way fails. */
  close(): void;
}

/** `bulk`: what comes in thousands has ways of its own, so that nothing waits behind it. */
export type MailWay = "prompt" | "bulk";
