/** wrk as a load: a client that is not ours, without a collector of its own. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endsWith } from "../clean-up.ts";
import { UsageError } from "../scenario.ts";

export interface WrkLoad {
  readonly url: string;
  readonly eventId: string;
  readonly tokens: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** Of idempotency keys: no two loads of one event share it. */
  readonly keyPrefix: string;
}

/** What wrk says at its end; times in ms, from when a request left. */
export interface WrkResult {
  /** Answers of any status. */
  readonly answers: number;
  readonly seconds: number;
  /** Of status 400 and above. */
  readonly refused: number;
  /** Connections that failed, and answers that did not come within wrk's two seconds. */
  readonly lost: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** One place of the area `floor` a request, under a key of its own. */
const SCRIPT = `
local made = 0
request = function()
  made = made + 1
  local headers = {
    ["Content-Type"] = "application/json",
    ["Authorization"] = "Bearer " .. tokens[made % #tokens + 1],
    ["Idempotency-Key"] = prefix .. made,
  }
  return wrk.format("POST", path, headers, '{"items":[{"area":"floor","quantity":1}]}')
end

done = function(summary, latency)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  local figures = '{"answers":%d,"seconds":%f,"refused":%d,"lost":%d,'
  local times = '"p50":%f,"p90":%f,"p99":%f,"p999":%f,"max":%f}\\n'
  io.write("result ", figures:format(
    summary.requests, summary.duration / 1e6, errors.status, lost))
  io.write(times:format(
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3,
    latency:percentile(99.9) / 1e3, latency.max / 1e3))
end
`;

/** Throws UsageError where there is no wrk. */
export function requireWrk(): void {
  const { error } = spawnSync("wrk", ["--version"], { stdio: "ignore" });
  if (error !== undefined) {
    throw new UsageError("hold-wrk needs wrk, which is not installed: apt-get install wrk");
  }
}

/** Holds on one thread of wrk, as fast as they are answered. */
export async function runWrk(load: WrkLoad): Promise<WrkResult> {
  const { url, eventId, tokens, connections, seconds, keyPrefix } = load;
  const directory = mkdtempSync(join(tmpdir(), "evently-wrk-"));
  const script = join(directory, "hold.lua");
  const list = tokens.map((token) => JSON.stringify(token)).join(", ");
  const given = [
    `local tokens = { ${list} }`,
    `local prefix = "${keyPrefix}"`,
    `local path = "/api/v1/events/${eventId}/holds"`,
  ];
  writeFileSync(script, `${given.join("\n")}${SCRIPT}`);
  const args = ["-t1", `-c${connections}`, `-d${Math.ceil(seconds)}s`, "-s", script, url];
  const child = spawn("wrk", args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const end = endsWith(async () => {
    child.kill("SIGKILL");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  try {
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await ended;
    return resultIn(said);
  } finally {
    await end();
  }
}

/** What the script says at its end, among what wrk says; throws where it said nothing. */
function resultIn(output: string): WrkResult {
  const said = /^result (\{.*\})$/m.exec(output)?.[1];
  if (said === undefined) throw new Error(`wrk did not say what it found: ${output}`);
  return JSON.parse(said) as WrkResult;
}
