/**
 * Milliseconds of the machine's monotonic clock: the same in all threads, whose `performance.now`
 * each count from their own start.
 */
const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const machineMs = (): number => performance.now() + offsetMs;
