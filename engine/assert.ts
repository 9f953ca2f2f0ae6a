/** A broken assertion is a bug of ours. No input of a user ever reaches one. */
export class AssertionFailed extends Error {
  readonly code = "assertion_failed";
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailed(message);
}
