import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../bench/root.ts";
import type { PlantedBug } from "./planted-bugs.ts";

const SOURCES = ["engine", "workers", "gateway", "sql", "tests", "package.json", "tsconfig.json"];

export interface Hunt {
  readonly bug: PlantedBug;
  /** How many seeds it took; null: not found in them. */
  readonly seeds: number | null;
  readonly seconds: number;
  /** The violation, in its first line. */
  readonly found: string;
}

/** Simulates a copy of the sources with the bug in it, from seed 1 on. */
export async function hunt(bug: PlantedBug, seedsMax: number): Promise<Hunt> {
  const copy = fs.mkdtempSync(join(tmpdir(), "evently-planted-"));
  try {
    for (const name of SOURCES) {
      fs.cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    }
    fs.symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    plant(join(copy, bug.file), bug);
    const startedMs = performance.now();
    const lines = await simulated(copy, seedsMax);
    const seconds = (performance.now() - startedMs) / 1_000;
    const last = reportOf(lines.at(-1));
    const isFound = last.violation !== null;
    const found = last.violation?.split("\n")[0] ?? "nothing";
    return { bug, seeds: isFound ? lines.length : null, seconds, found };
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
}

function plant(path: string, { find, replace, file }: PlantedBug): void {
  const source = fs.readFileSync(path, "utf8");
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`${file} has it ${parts.length - 1} times: ${find}`);
  fs.writeFileSync(path, parts.join(replace));
}

/** The reports that were printed, one per seed. */
function simulated(directory: string, seedsMax: number): Promise<string[]> {
  const seeds = ["--seed", "1", "--seeds", String(seedsMax), "--json", "--no-shrink"];
  const args = ["--import", "tsx", "tests/simulation/simulate.ts", ...seeds];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: directory,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.once("error", reject);
    child.once("close", () => resolve(output.split("\n").filter((line) => line.startsWith("{"))));
  });
}

function reportOf(line: string | undefined): { violation: string | null } {
  if (line === undefined) throw new Error("the simulation said nothing");
  const report: unknown = JSON.parse(line);
  const isReport = typeof report === "object" && report !== null && "violation" in report;
  const violation = isReport ? report.violation : null;
  return { violation: typeof violation === "string" ? violation : null };
}
