/** A node under traffic, which most scenarios begin with. */
import assert from "node:assert/strict";
import { ApiClient } from "../support/client.ts";
import type { TestDatabase } from "../support/database.ts";
import { type Exit, TestNode, until } from "../support/server.ts";
import { RealPostgres } from "./real-postgres.ts";
import type { Stage } from "./scenario.ts";
import { openFloor, Traffic } from "./traffic.ts";

export interface Rig {
  readonly node: TestNode;
  readonly api: ApiClient;
  readonly traffic: Traffic;
}

export interface RigOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: one on the server that all tests share. */
  readonly database?: TestDatabase;
  /** Of the event on sale. */
  readonly event?: object;
}

/** The traffic has a floor to sell, and is not started. */
export async function openRig(stage: Stage, options: RigOptions = {}): Promise<Rig> {
  const node = await TestNode.start(options.env, options.database);
  stage.after(() => node.remove());
  stage.witness(() => [...node.logged('"level":40'), ...node.errors].slice(-20).join("\n"));
  const api = new ApiClient(() => node.url);
  stage.after(() => api.close());
  const traffic = new Traffic(api, await openFloor(api, options.event));
  stage.after(() => traffic.stop());
  return { node, api, traffic };
}

/** A PostgreSQL that may be killed and frozen. The rig on it removes it. */
export async function ownPostgres(stage: Stage): Promise<RealPostgres> {
  const postgres = await RealPostgres.start();
  stage.after(() => postgres.drop());
  return postgres;
}

const END_MS_MAX = 30_000;

/** How the node ended by itself; rejects when it goes on and on. */
export async function endOf(node: TestNode): Promise<Exit> {
  const { ended } = node;
  await until("the node ends by itself", () => !node.isUp, END_MS_MAX);
  return ended;
}

export async function isReady(api: ApiClient): Promise<boolean> {
  return (await api.get("/health/ready")).status === 200;
}

/** Why the node wants no new work. */
export async function impediments(api: ApiClient): Promise<string> {
  const { body } = await api.get<{ impediments?: string[] }>("/health/ready");
  return body.impediments?.join("; ") ?? "";
}

/** Resolves with the ms that it took until PostgreSQL had everything. */
export async function caughtUp(api: ApiClient): Promise<number> {
  const fromMs = Date.now();
  await until("the node is ready again", () => isReady(api), 120_000);
  return Date.now() - fromMs;
}

/** Requests that needed the database while it was away. */
const DATABASE_AWAY = /"msg":"request failed"/;
const AWAY_BECAUSE = /ECONNREFUSED|ECONNRESET|Connection terminated|timeout|57P0/;

/**
 * The end of most scenarios: buyers, memory and database agree, and nothing was logged as wrong,
 * except what is `expected`.
 */
export async function reckon(
  stage: Stage,
  { node, traffic }: Rig,
  url: string,
  expected?: RegExp,
): Promise<void> {
  await traffic.stop();
  await traffic.reckon(url);
  const errors = node.errors.filter(
    (line) => !expected?.test(line) && !(DATABASE_AWAY.test(line) && AWAY_BECAUSE.test(line)),
  );
  assert.deepEqual(errors, []);
  stage.holds("every acknowledged hold and booking stored exactly once, nothing else, audit ok");
  stage.figure("bookings", traffic.booked.size);
  stage.figure("open holds", traffic.held.size);
}
