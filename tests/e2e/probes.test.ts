/** What probes and a scraper hear of a node that comes up, and where metrics may be moved to. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ApiClient } from "../support/client.ts";
import { TestNode, until } from "../support/server.ts";
import type { Problem } from "../support/shapes.ts";

interface Health {
  readonly status: string;
  readonly phase: string;
  readonly impediments: readonly string[];
}

/** A PostgreSQL that takes connections and says nothing: a start that takes as long as it likes. */
async function listenSilently() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test("while a node starts, probes say how far it is, and all else is busy", async () => {
  const database = await listenSilently();
  const free = await listenSilently();
  const { port } = free;
  free.close();
  const directory = fs.mkdtempSync(join(tmpdir(), "evently-start-"));
  const { PATH, HOME, TMPDIR } = process.env;
  const child = spawn(process.execPath, ["bin/run.mjs", "gateway/main.ts"], {
    env: {
      ...{ PATH, HOME, TMPDIR, PORT: `${port}`, DATA_DIR: directory },
      DATABASE_URL: `postgres://nobody:secret@127.0.0.1:${database.port}/none`,
    },
    stdio: "ignore",
  });
  const api = new ApiClient(() => `http://127.0.0.1:${port}`);
  try {
    await until("it answers", () =>
      api.get("/health/startup").then(
        ({ text }) => text.includes("migrating"),
        () => false,
      ),
    );
    const { status, body } = await api.get<Health>("/health/startup");
    assert.equal(status, 503);
    assert.equal(body.phase, "migrating the database");
    const ready = await api.get<Health>("/health/ready");
    assert.equal(ready.status, 503);
    assert.deepEqual(ready.body.impediments, ["starting: migrating the database"]);
    assert.equal((await api.get("/health/live")).status, 200);
    const early = await api.get<Problem>("/api/v1/events");
    assert.deepEqual([early.status, early.body.code], [503, "busy"]);
    assert.equal(early.headers["retry-after"], "1");
    assert.equal((await api.get("/metrics")).status, 200);
  } finally {
    child.kill("SIGKILL");
    api.close();
    database.close();
    fs.rmSync(directory, { recursive: true, force: true });
  }
});

test("metrics can be behind a token, and on a port of their own", async () => {
  const metricsToken = "metrics-token-of-the-tests";
  const node = await TestNode.start({ METRICS_PORT: "0", METRICS_TOKEN: metricsToken });
  const api = new ApiClient(() => node.url);
  const [line = ""] = node.logged("metrics are on a port of their own");
  const { port } = JSON.parse(line) as { port: number };
  const own = new ApiClient(() => `http://127.0.0.1:${port}`);
  try {
    assert.equal((await api.get("/metrics")).status, 404);
    assert.equal((await own.get("/metrics")).status, 401);
    assert.equal((await own.get("/metrics", { token: `${metricsToken}!` })).status, 401);
    const page = await own.get("/metrics", { token: metricsToken });
    assert.equal(page.status, 200);
    assert.match(page.text, /^evently_serving 1$/m);
    assert.equal((await own.get("/health/ready")).status, 200);
    // No answer of the gateway's own, and so not in its document.
    assert.equal((await fetch(`http://127.0.0.1:${port}/api/v1/events`)).status, 404);
    assert.equal((await api.get<Health>("/health/startup")).body.phase, "serving");
  } finally {
    api.close();
    own.close();
    await node.remove();
  }
});
