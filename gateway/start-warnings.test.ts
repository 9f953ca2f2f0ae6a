import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "./config.ts";
import { startWarnings } from "./start-warnings.ts";

const SMTP_URL = "smtp://mail.example:25";
const MAIL_FROM = "Tickets <tickets@example.org>";
const API_URL = "https://api.example.org";

const namesIn = (env: Readonly<Record<string, string>>): (string | undefined)[] =>
  startWarnings(readConfig(env)).map((warning) => warning.split(" ")[0]);

test("whose mails leave for elsewhere is told when their links lead nowhere", () => {
  for (const HOST of ["0.0.0.0", "::"]) {
    assert.deepEqual(namesIn({ HOST, SMTP_URL, MAIL_FROM }), ["API_URL"], HOST);
    // As compose passes what is not set.
    assert.deepEqual(namesIn({ HOST, SMTP_URL, MAIL_FROM, API_URL: "" }), ["API_URL"], HOST);
    assert.deepEqual(namesIn({ HOST, SMTP_URL, MAIL_FROM, API_URL }), [], HOST);
  }
  assert.deepEqual(namesIn({ HOST: "127.0.0.1", SMTP_URL, MAIL_FROM }), []);
});

test("and when nobody can answer their sender", () => {
  assert.deepEqual(namesIn({ SMTP_URL }), ["MAIL_FROM"]);
});

test("who sends none is told nothing", () => {
  assert.deepEqual(namesIn({ HOST: "0.0.0.0" }), []);
  assert.deepEqual(namesIn({ HOST: "0.0.0.0", SMTP_URL, NOTIFIER: "off" }), []);
});
