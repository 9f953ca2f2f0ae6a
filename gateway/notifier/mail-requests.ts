import type { Clock } from "../../workers/clock.ts";
import type { Queries } from "../tenancy/database.ts";
import { Seal } from "./seal.ts";

/** A mail that a service promises, with a token that nobody else may read. */
export interface RequestedMail {
  readonly kind: "verification" | "reset" | "invitation";
  /** As parseEmail gives it. */
  readonly to: string;
  /** What the token's page is called in the shop. */
  readonly page: string;
  readonly token: string;
  /** What else its template names. */
  readonly words: Readonly<Record<string, string>>;
  /** Unix ms: the token is good until then, and the mail of use. */
  readonly untilMs: number;
}

/** Where mails are asked for. */
export interface MailRequestsPort {
  /** `digest`: what the database knows of the token; it makes the mail one of a kind. */
  post(within: Queries, mail: RequestedMail, digest: Buffer): Promise<void>;
}

/**
 * Where services of the gateway ask for mails: in the transaction of what they promise, so that the
 * mail goes out if and only if that is so. No request waits for a mail.
 */
export class MailRequests implements MailRequestsPort {
  readonly #seal: Seal;
  readonly #clock: Clock;

  constructor(jwtSecret: string, clock: Clock) {
    this.#seal = new Seal(jwtSecret);
    this.#clock = clock;
  }

  async post(within: Queries, mail: RequestedMail, digest: Buffer): Promise<void> {
    const key = `${mail.kind}:${digest.toString("base64url")}`;
    const detail = { key, sealed: this.#seal.close(mail, key) };
    await within.query({
      name: "request-mail",
      text: "INSERT INTO outbox (kind, at_ms, detail) VALUES ('mail', $1, $2)",
      values: [this.#clock.wallMs(), JSON.stringify(detail)],
    });
  }
}
