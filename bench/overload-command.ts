import { UsageError } from "./scenario.ts";
import { durationMaxFor } from "./token-time.ts";

const SECONDS_DEFAULT = 10;
const FACTOR_DEFAULT = 10;
/** Of the overload; the rest comes over WebSockets. */
export const HTTP_FACTOR = 2;
/** More buyers than one core can send. */
const FACTOR_MAX = 100;
/** Two maxima, two crowds and the overload, by one set of buyers; what else there is, is short. */
const STRETCHES = 5;

export interface OverloadCommand {
  /** Of each stretch. */
  readonly seconds: number;
  /** How many times the maximum is offered. */
  readonly factor: number;
}

/** `args`: what follows `npm run bench:overload --`. Throws UsageError. */
export function parseOverload(args: readonly string[]): OverloadCommand {
  const [seconds, factor, ...more] = args;
  if (more.length > 0) throw new UsageError(`seconds and a factor are all; not "${more[0]}"`);
  return {
    seconds: numberOf("seconds", seconds, { least: 1, most: durationMaxFor(STRETCHES) }),
    factor: numberOf("the factor", factor, { least: HTTP_FACTOR, most: FACTOR_MAX }),
  };
}

const DEFAULTS = { seconds: SECONDS_DEFAULT, "the factor": FACTOR_DEFAULT } as const;

function numberOf(
  name: keyof typeof DEFAULTS,
  text: string | undefined,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  if (text === undefined) return DEFAULTS[name];
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${name}: a number from ${least} to ${most}, not "${text}"`);
}
