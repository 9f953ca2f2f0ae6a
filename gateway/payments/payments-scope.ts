import { platform } from "../tenancy/scope.ts";

/** Of every statement about money. */
export const PAYMENTS = platform(
  "payments",
  "providers and timers act on whoever's money it is; who may pay for a booking its actor decides",
);
