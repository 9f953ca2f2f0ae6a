/**
 * Whether the node of this environment is alive: for a container's health check. Plain JavaScript,
 * so that it costs what starting node costs. Not `ready`: a node that waits for its database
 * recovers by itself, and is not to be restarted for it.
 */
const { PORT = "3000", PROBE_PATH = "/health/live" } = process.env;
const response = await fetch(`http://127.0.0.1:${PORT}${PROBE_PATH}`, {
  signal: AbortSignal.timeout(4_000),
}).catch(() => null);
process.exitCode = response?.ok === true ? 0 : 1;
