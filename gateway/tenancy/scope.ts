import type { EventTag, UserId } from "../../engine/ids.ts";
import type { Identity } from "../identity/tokens.ts";

/**
 * As whom a statement asks. The policies of sql/015.do.tenancy.sql look at it: whatever the
 * statement itself forgets, PostgreSQL hands out what this one may see, and no more.
 */
export interface Scope {
  /** "": nobody who is signed in. */
  readonly user: UserId | "";
  readonly role: Identity["role"] | Office | "";
  /** "": none was named. */
  readonly event: EventTag | "";
}

/** Parts of the platform that work on rows of people who are not there, or not known yet. */
export type Office = "identity" | "payments" | "tickets" | "mail" | "campaigns" | "admin";

/** Sees what is public, and changes nothing. */
export const NOBODY: Scope = { user: "", role: "", event: "" };

/** Whoever makes the request, with what their organisations and their role let them see. */
export function asker({ userId, role }: Identity): Scope {
  return { user: userId, role, event: "" };
}

/** One person's own things, whatever else they may be. */
export function person(userId: UserId): Scope {
  return { user: userId, role: "customer", event: "" };
}

/**
 * What is public, and the one event that an id names, also as a draft: an event is looked up before
 * it is known who may see it. It changes nothing.
 */
export function namedEvent(tag: EventTag): Scope {
  return { user: "", role: "", event: tag };
}

/** Across tenants. `reason` says why nobody's own scope will do; it is for who reads the code. */
export function platform(office: Office, reason: string): Scope {
  if (reason === "") throw new Error("a scope across tenants needs a reason");
  return { user: "", role: office, event: "" };
}
