import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { BenchApi } from "./bench-api.ts";
import { type Access, UsageError } from "./scenario.ts";
import { ServerUnreachable } from "./server-reach.ts";
import { openStage } from "./stage.ts";
import { NO_OPTIONS } from "./testing/no-options.ts";

const ACCESS: Access = { email: "a@example.org", password: "p", opsToken: "right" };

interface Standing {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
}

/** Lets in who has the password; what is the operators' needs the right token. */
async function standIn(context: TestContext, expiresIn = 1_800): Promise<Standing> {
  const asked: string[] = [];
  const statusOf = async (request: IncomingMessage): Promise<number> => {
    if (request.url?.startsWith("/ops/") === true) {
      return request.headers.authorization === "Bearer right" ? 200 : 403;
    }
    let body = "";
    for await (const chunk of request) body += String(chunk);
    return body.includes("wrong") ? 401 : 200;
  };
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    void statusOf(request).then((status) => {
      const answer = { accessToken: `token ${asked.length}`, expiresIn, shards: [] };
      response.writeHead(status, { connection: "close" }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked };
}

const open = (url: string, access: Access) =>
  openStage({ ...NO_OPTIONS, url, access }, () => undefined);

test("who is let in everywhere has a stage, before anything else was asked for", async (t) => {
  const { url, asked } = await standIn(t);
  const stage = await open(url, ACCESS);
  assert.equal(stage.url, url);
  assert.deepEqual(asked, ["/api/v1/auth/login", "/ops/shards"]);
});

test("what is missing to look at a server is said before any load", async (t) => {
  const { url } = await standIn(t);
  const wrong: readonly (readonly [Partial<Access>, RegExp])[] = [
    [{ password: "wrong" }, /a@example\.org is not let in at http.*--email and --password/],
    [{ opsToken: null }, /--ops-token is missing \(or BENCH_OPS_TOKEN\)/],
    [{ opsToken: "another" }, /--ops-token \(or BENCH_OPS_TOKEN\) is not the OPS_TOKEN of http/],
  ];
  for (const [given, message] of wrong) {
    await assert.rejects(
      open(url, { ...ACCESS, ...given }),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  }
});

test("where nobody listens, the address and the reason are named", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const url = `http://127.0.0.1:${port}`;
  await assert.rejects(
    open(url, ACCESS),
    (error) =>
      error instanceof ServerUnreachable &&
      error.message === `nobody answers at ${url}: ECONNREFUSED`,
  );
});

test("who organises signs in once while the token lasts, and again before it ends", async (t) => {
  const logins = ({ asked }: Standing): number =>
    asked.filter((path) => path === "/api/v1/auth/login").length;
  const lasting = await standIn(t);
  const api = new BenchApi(lasting.url, ACCESS);
  for (let n = 0; n < 3; n += 1) await api.signIn();
  assert.equal(logins(lasting), 1);

  const short = await standIn(t, 0);
  const renewing = new BenchApi(short.url, ACCESS);
  for (let n = 0; n < 3; n += 1) await renewing.signIn();
  assert.ok(logins(short) >= 3, `${logins(short)} logins`);
});

test("guests say when others have to come: before the first of their tokens ends", async (t) => {
  const { url } = await standIn(t, 1_000);
  const beforeMs = performance.now();
  const { tokens, renewAtMs } = await new BenchApi(url, ACCESS).guests(20);
  assert.equal(new Set(tokens).size, 20);
  assert.ok(renewAtMs > beforeMs && renewAtMs < beforeMs + 1_000_000);
});
