/**
 * Work that can be put down between two steps, each of a few milliseconds at most: a large event
 * must not keep all others of its thread waiting.
 */
export type Steps<Result> = Generator<undefined, Result>;

export function inOneGo<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** `map` of each, `perStep` of them in one step. */
export function* mapping<From, To>(
  items: readonly From[],
  map: (item: From) => To,
  perStep: number,
): Steps<To[]> {
  const mapped: To[] = [];
  for (const item of items) {
    mapped.push(map(item));
    if (mapped.length % perStep === 0) yield;
  }
  return mapped;
}
