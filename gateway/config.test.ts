import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ConfigError, jwtSecretOf, readConfig, sandboxSecretOf } from "./config.ts";
import { originsOf } from "./http/door-settings.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

describe("readConfig", () => {
  it("gives the contract's defaults to an empty environment", () => {
    const config = readConfig({});
    assert.equal(config.port, 3000);
    assert.equal(config.host, "127.0.0.1");
    assert.equal(config.databaseUrl, null);
    assert.equal(config.redisUrl, null);
    assert.match(config.dataDir, /\/\.data$/);
    assert.equal(config.admin, null);
    assert.equal(config.ackMode, "journal");
    assert.ok(config.workers >= 1);
    assert.equal(config.journalArchiveBytes, 0);
    assert.equal(config.shards, 16);
    assert.equal(config.rateLimit, true);
    assert.equal(config.seedDemo, null);
    assert.equal(config.logLevel, "info");
    assert.equal(config.isProduction, false);
  });

  it("takes what is given, and an empty variable for an unset one", () => {
    const config = readConfig({
      PORT: "0",
      HOST: "::1",
      DATABASE_URL: "postgres://u:p@db:5432/evently",
      REDIS_URL: "",
      ACK_MODE: "postgres",
      ADMIN_EMAIL: " Root@Example.com ",
      ADMIN_PASSWORD: "long enough",
      WORKERS: "3",
      SHARDS: "1024",
      UNPROJECTED_FACTS_MAX: "1000",
      JOURNAL_ARCHIVE_BYTES: "10737418240",
      RATE_LIMIT: "off",
      SEED_DEMO: "off",
      LOG_LEVEL: "debug",
      OPS_TOKEN: "0123456789abcdef",
      NODE_ENV: "production",
      JWT_SECRET: SECRET,
    });
    assert.equal(config.port, 0);
    assert.equal(config.redisUrl, null);
    assert.equal(config.ackMode, "postgres");
    assert.deepEqual(config.admin, { email: "root@example.com", password: "long enough" });
    assert.equal(config.shards, 1024);
    assert.deepEqual([config.unprojectedFactsMax, config.unprojectedMibMax], [1_000, 128]);
    assert.equal(config.journalArchiveBytes, 10 * 1024 ** 3);
    assert.equal(config.rateLimit, false);
    assert.equal(config.seedDemo, false);
    assert.equal(config.isProduction, true);
  });

  it("takes a host from the parameters of a URL, and pairs as OpenTelemetry has them", () => {
    readConfig({ DATABASE_URL: "postgres:///evently?host=/var/run/postgresql" });
    readConfig({ OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20a=, x-scope = b" });
    readConfig({ OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=prod,service.version=1" });
  });

  it("reads bounds for a user and an address, or none", () => {
    const config = readConfig({
      RATE_LIMIT_BOOKING: "3/10s",
      RATE_LIMIT_HOLD: "5/1m,100/1h",
      RATE_LIMIT_READ: "off",
      RATE_LIMIT_AUTH: "7/2m",
      RATE_LIMIT_LOGIN: "off",
    });
    const { classes, login } = config.limits;
    const bound = (count: number, windowMs: number) => ({ count, windowMs });
    const wide = bound(3_000, 60_000);
    assert.deepEqual(classes.booking, { user: bound(3, 10_000), address: wide });
    assert.deepEqual(classes.hold, { user: bound(5, 60_000), address: bound(100, 3_600_000) });
    assert.deepEqual(classes.read, { user: null, address: null });
    assert.deepEqual(classes.auth, { user: null, address: bound(7, 120_000) });
    assert.equal(login, null);
    const { limits } = readConfig({});
    assert.deepEqual(limits.classes.booking.user, bound(10, 60_000));
    assert.deepEqual(limits.login, bound(5, 900_000));
  });

  it("lets pages of localhost in unless it is production, and the shop's own always", () => {
    const originsIn = (env: Record<string, string>): string[] => {
      const config = readConfig({ JWT_SECRET: SECRET, ...env });
      return originsOf(config.door, config);
    };
    const PUBLIC_URL = "https://shop.example.org/de/";
    const NODE_ENV = "production";
    assert.ok(originsIn({}).includes("http://localhost:*"));
    assert.deepEqual(originsIn({ NODE_ENV }), []);
    assert.deepEqual(originsIn({ NODE_ENV, PUBLIC_URL }), ["https://shop.example.org"]);
    assert.deepEqual(originsIn({ CORS_ORIGINS: "none" }), []);
    const CORS_ORIGINS = "https://a.example, https://*.b.example";
    const given = ["https://a.example", "https://*.b.example"];
    assert.deepEqual(originsIn({ NODE_ENV, CORS_ORIGINS }), given);
  });

  const refused: readonly (readonly [env: Record<string, string>, line: RegExp])[] = [
    [{ PORT: "80a" }, /^PORT accepts a port/],
    [{ PORT: "65536" }, /^PORT accepts/],
    [{ PORT: "-1" }, /^PORT accepts/],
    [{ PORT: " 3000" }, /^PORT accepts/],
    [{ HOST: "two words" }, /^HOST accepts/],
    [{ DATABASE_URL: "mysql://db/evently" }, /^DATABASE_URL accepts a URL that starts with postgr/],
    [{ DATABASE_URL: "evently" }, /^DATABASE_URL accepts/],
    [{ DATABASE_URL: "postgres://" }, /^DATABASE_URL accepts .* names a host/],
    [{ DATABASE_URL: "postgres:///evently" }, /^DATABASE_URL accepts .* names a host/],
    [{ REDIS_URL: "redis://" }, /^REDIS_URL accepts .* names a host/],
    [{ SMTP_URL: "smtp://" }, /^SMTP_URL accepts .* names a host/],
    [{ OTEL_EXPORTER_OTLP_HEADERS: "garbage" }, /^OTEL_EXPORTER_OTLP_HEADERS accepts name=value/],
    [{ OTEL_EXPORTER_OTLP_HEADERS: "a=b,%" }, /^OTEL_EXPORTER_OTLP_HEADERS accepts name=value/],
    [{ OTEL_RESOURCE_ATTRIBUTES: "a=%zz" }, /^OTEL_RESOURCE_ATTRIBUTES accepts name=value/],
    [{ REDIS_URL: "localhost:6379" }, /^REDIS_URL accepts/],
    [{ SMTP_URL: "http://mail" }, /^SMTP_URL accepts/],
    [{ WORKERS: "0" }, /^WORKERS accepts a whole number from 1 to 64/],
    [{ WORKERS: "65" }, /^WORKERS accepts/],
    [{ WORKERS: "1.5" }, /^WORKERS accepts/],
    [{ SHARDS: "1025" }, /^SHARDS accepts a whole number from 1 to 1024/],
    [{ UNPROJECTED_FACTS_MAX: "999" }, /^UNPROJECTED_FACTS_MAX accepts a whole number from 1000/],
    [{ UNPROJECTED_MIB_MAX: "0" }, /^UNPROJECTED_MIB_MAX accepts/],
    [{ JOURNAL_ARCHIVE_BYTES: "1GB" }, /^JOURNAL_ARCHIVE_BYTES accepts a whole number of bytes/],
    [{ RATE_LIMIT: "yes" }, /^RATE_LIMIT accepts on or off/],
    [{ RATE_LIMIT_BOOKING: "10" }, /^RATE_LIMIT_BOOKING accepts a bound for a user, such as 10/],
    [{ RATE_LIMIT_BOOKING: "10/1m,20/1m,30/1m" }, /^RATE_LIMIT_BOOKING accepts/],
    [{ RATE_LIMIT_BOOKING: "10/1d" }, /^RATE_LIMIT_BOOKING accepts/],
    [{ RATE_LIMIT_HOLD: "0/1m" }, /^RATE_LIMIT_HOLD accepts/],
    [{ RATE_LIMIT_AUTH: "1/1m,2/1m" }, /^RATE_LIMIT_AUTH accepts a count and its time/],
    [{ RATE_LIMIT_LOGIN: "5/25h" }, /^RATE_LIMIT_LOGIN accepts/],
    [{ CORS_ORIGINS: "shop.example.org" }, /^CORS_ORIGINS accepts origins/],
    [{ TRUSTED_PROXIES: "10.0.0.0/8,lb" }, /^TRUSTED_PROXIES accepts IP addresses and ranges/],
    [{ PROXY_HEADER: "x-real-ip" }, /^PROXY_HEADER accepts x-forwarded-for or forwarded/],
    [{ SOCKETS_PER_ADDRESS: "0" }, /^SOCKETS_PER_ADDRESS accepts/],
    [{ SEED_DEMO: "true" }, /^SEED_DEMO accepts on or off/],
    [{ LOG_LEVEL: "verbose" }, /^LOG_LEVEL accepts trace, debug/],
    [{ ACK_MODE: "disk" }, /^ACK_MODE accepts journal or postgres$/],
    [{ JWT_SECRET: "short" }, /^JWT_SECRET accepts at least 32 bytes/],
    [{ NODE_ENV: "production" }, /^JWT_SECRET is required when NODE_ENV=production/],
    [{ ADMIN_EMAIL: "a@example.com" }, /^ADMIN_PASSWORD is missing/],
    [{ ADMIN_PASSWORD: "long enough" }, /^ADMIN_EMAIL is missing/],
    [{ ADMIN_EMAIL: "nobody", ADMIN_PASSWORD: "long enough" }, /^ADMIN_EMAIL accepts/],
    [{ ADMIN_EMAIL: "a@b.de", ADMIN_PASSWORD: "short" }, /^ADMIN_PASSWORD accepts 8 to 200/],
    [{ OPS_TOKEN: "short" }, /^OPS_TOKEN accepts/],
    [{ SANDBOX_PAYMENTS: "yes" }, /^SANDBOX_PAYMENTS accepts on or off/],
    [{ SANDBOX_WEBHOOK_SECRET: "short" }, /^SANDBOX_WEBHOOK_SECRET accepts at least 32 bytes/],
    [
      { STRIPE_SECRET_KEY: "pk_test_12345678" },
      /^STRIPE_SECRET_KEY accepts a secret or restricted/,
    ],
    [{ STRIPE_SECRET_KEY: "sk_test_x" }, /^STRIPE_SECRET_KEY accepts .* 8 to 250 letters, digits/],
    [{ STRIPE_WEBHOOK_SECRET: "12345678" }, /^STRIPE_WEBHOOK_SECRET accepts a signing secret/],
    [{ STRIPE_WEBHOOK_SECRET: "whsec_x" }, /^STRIPE_WEBHOOK_SECRET accepts .* 8 to 250 letters/],
    [{ TICKET_FONTS: "/nope.otf" }, /^TICKET_FONTS accepts paths .*; "\/nope\.otf" is not there$/],
    [
      { TICKET_FONTS: `${tmpdir()}, /a\nb` },
      /^TICKET_FONTS .*; "\/.*" is no file, "\/a\\nb" is not/,
    ],
    [{ STRIPE_API_URL: "localhost:12111" }, /^STRIPE_API_URL accepts a URL/],
    [{ STRIPE_SECRET_KEY: "sk_test_12345678" }, /^STRIPE_WEBHOOK_SECRET is missing/],
    [{ STRIPE_WEBHOOK_SECRET: "whsec_12345678" }, /^STRIPE_SECRET_KEY is missing/],
  ];

  for (const [env, line] of refused) {
    it(`refuses ${JSON.stringify(env)} with one line that names it`, () => {
      assert.throws(
        () => readConfig(env),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.message, line);
          assert.doesNotMatch(error.message, /\n/);
          return true;
        },
      );
    });
  }

  it("has the sandbox on, in production only if asked for, and Stripe if it is given", () => {
    const production = { NODE_ENV: "production", JWT_SECRET: SECRET };
    assert.equal(readConfig({}).sandboxPayments, true);
    assert.equal(readConfig({ SANDBOX_PAYMENTS: "off" }).sandboxPayments, false);
    assert.equal(readConfig(production).sandboxPayments, false);
    assert.equal(readConfig({ ...production, SANDBOX_PAYMENTS: "on" }).sandboxPayments, true);
    assert.equal(readConfig({}).stripe, null);
    const keys = { STRIPE_SECRET_KEY: "sk_test_12345678", STRIPE_WEBHOOK_SECRET: "whsec_12345678" };
    assert.deepEqual(readConfig({ ...keys, STRIPE_API_URL: "http://127.0.0.1:12111" }).stripe, {
      secretKey: "sk_test_12345678",
      webhookSecret: "whsec_12345678",
      apiUrl: "http://127.0.0.1:12111",
    });
    assert.equal(readConfig(keys).stripe?.apiUrl, null);
  });

  it("never repeats a secret that it refuses", () => {
    assert.throws(
      () => readConfig({ JWT_SECRET: "hunter2" }),
      (error) => error instanceof ConfigError && !error.message.includes("hunter2"),
    );
  });
});

describe("jwtSecretOf", () => {
  it("makes a secret that stays, readable by its owner alone", (t) => {
    const parent = fs.mkdtempSync(join(tmpdir(), "evently-config-"));
    const dataDir = join(parent, "data");
    t.after(() => fs.rmSync(parent, { recursive: true }));
    const secret = jwtSecretOf({ jwtSecret: null, dataDir });
    assert.ok(secret.length >= 32);
    assert.equal(jwtSecretOf({ jwtSecret: null, dataDir }), secret);
    assert.equal(fs.statSync(join(dataDir, "jwt-secret")).mode & 0o777, 0o600);
    assert.equal(jwtSecretOf({ jwtSecret: SECRET, dataDir }), SECRET);
    fs.writeFileSync(join(dataDir, "jwt-secret"), "cut");
    assert.throws(() => jwtSecretOf({ jwtSecret: null, dataDir }), ConfigError);
  });
});

describe("sandboxSecretOf", () => {
  it("is the configured one, or follows from the JWT secret without being it", () => {
    const base = { jwtSecret: SECRET, dataDir: "unused" };
    const derived = sandboxSecretOf({ ...base, sandboxWebhookSecret: null });
    assert.equal(sandboxSecretOf({ ...base, sandboxWebhookSecret: null }), derived);
    assert.ok(derived.length >= 32 && derived !== SECRET);
    assert.equal(sandboxSecretOf({ ...base, sandboxWebhookSecret: "given" }), "given");
  });
});
