/** The tool as its operators run it: a process, its output and its exit code. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { EVENT_ID } from "../../../engine/testing/fixtures.ts";
import {
  contentOf,
  JournalBuilder,
  NO_BASE,
  temporaryDirectory,
  writeSegment,
} from "../../../tests/support/journal-fixture.ts";
import { entriesEach, soldEvent } from "./testing/sold-event.ts";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function tool(...args: string[]): Promise<Ended> {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", main, ...args]);
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code]: (number | null)[] = await once(child, "close");
  return { code: code ?? null, stdout, stderr };
}

/** A DATA_DIR whose journal has one sale. */
function dataDir(t: TestContext): { directory: string; journal: string; bytes: Buffer } {
  const directory = temporaryDirectory(t);
  const journal = join(directory, "journal");
  mkdirSync(journal);
  const entries = entriesEach(soldEvent().facts);
  const bytes = new JournalBuilder().segment(1, [NO_BASE, { entries }, { entries: [] }]);
  writeSegment(journal, 1, bytes);
  return { directory, journal, bytes };
}

test("each command answers on stdout with 0, in text and in JSON, and changes nothing", async (t) => {
  const { directory, journal } = dataDir(t);
  const before = contentOf(journal);
  const commands = [
    ["inspect", directory, "--entries"],
    ["verify", journal],
    ["replay", directory, "--event", EVENT_ID, "--facts"],
  ];
  for (const command of commands) {
    const [text, json] = await Promise.all([tool(...command), tool(...command, "--json")]);
    assert.deepEqual([text.code, text.stderr, json.code, json.stderr], [0, "", 0, ""]);
    assert(text.stdout.length > 100);
    for (const line of json.stdout.trimEnd().split("\n")) {
      assert.equal(typeof JSON.parse(line), "object", line);
    }
  }
  assert.deepEqual(contentOf(journal), before);
});

test("corruption and missing facts end with 1, wrong usage and no directory with 2", async (t) => {
  const { directory, journal, bytes } = dataDir(t);
  bytes[4_100] = (bytes[4_100] ?? 0) ^ 1;
  writeSegment(journal, 1, bytes);
  const [corrupt, missing, usage, nowhere, help] = await Promise.all([
    tool("verify", directory),
    tool("replay", directory, "--event", EVENT_ID.replace(/.$/, "4")),
    tool("inspect"),
    tool("verify", join(directory, "nowhere")),
    tool(),
  ]);
  assert.equal(corrupt.code, 1);
  assert.match(corrupt.stdout, /corrupt: journal_frame_after_bad\n.*at offset 4096\n/);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^journal: no_facts: the journal has no fact of this event/);
  assert.equal(usage.code, 2);
  assert.match(usage.stderr, /^journal: usage: inspect needs a directory\n\nLooks into a journal/);
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /^journal: unreadable: .*nowhere is not a directory\n$/);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Looks into a journal/);
});

test("who reads no further, as head does, gets no complaint", async (t) => {
  const { directory } = dataDir(t);
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const args = ["--import", "tsx", main, "inspect", directory, "--entries"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code]: (number | null)[] = await once(child, "close");
  assert.deepEqual([code, stderr], [0, ""]);
});
