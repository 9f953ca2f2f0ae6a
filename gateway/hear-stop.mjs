/**
 * Loaded before everything else (`node --import`): before there is anything to stop, a stop is the
 * end. gateway/stop-request.ts takes its place.
 */
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
