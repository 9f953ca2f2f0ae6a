/** Of the time that something is measured for. */
const WARM_UP_SHARE = 0.5;

/** Does the work, once at least, until its code is compiled and the collector has had its say. */
export function warmUp(work: () => unknown, seconds: number): void {
  const endMs = performance.now() + seconds * WARM_UP_SHARE * 1_000;
  do work();
  while (performance.now() < endMs);
}
