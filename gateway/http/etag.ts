import { createHash } from "node:crypto";
import { headerLines } from "./answer-head.ts";
import type { HttpRequest, HttpResponse } from "./exchange.ts";

/** A strong entity tag of these bytes. */
export function etagOf(body: string | Buffer): string {
  return `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
}

/** Whether If-None-Match names this entity; compared weakly, as RFC 9110 §13.1.2 asks for. */
function matches(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === "") return false;
  if (ifNoneMatch === etag) return true;
  if (ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}

export interface Entity {
  readonly body: string | Buffer;
  readonly etag: string;
  readonly cacheControl: string;
}

/** 200 with the entity, or 304 when the client has it already. */
export function entityResponse(request: HttpRequest, entity: Entity): HttpResponse {
  const headers = { ETag: entity.etag, "Cache-Control": entity.cacheControl };
  return matches(request.ifNoneMatch, entity.etag)
    ? { status: 304, body: null, headers }
    : { status: 200, body: entity.body, headers };
}

/** An entity that many ask for: both its answers, made once. */
export class KeptEntity {
  readonly etag: string;
  readonly #whole: HttpResponse;
  readonly #unchanged: HttpResponse;

  constructor({ body, etag, cacheControl }: Entity) {
    const lines = headerLines({ ETag: etag, "Cache-Control": cacheControl });
    this.etag = etag;
    this.#whole = { status: 200, body: Buffer.from(body), headerLines: lines };
    this.#unchanged = { status: 304, body: null, headerLines: lines };
  }

  /** As entityResponse. */
  answerTo(ifNoneMatch: string): HttpResponse {
    return matches(ifNoneMatch, this.etag) ? this.#unchanged : this.#whole;
  }
}
