/** How often somebody may guess, and from where; on a node that counts. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as http from "node:http";
import { after, before, test } from "node:test";
import { TestNode } from "../support/server.ts";

let node: TestNode;
before(async () => {
  node = await TestNode.start({ RATE_LIMIT: "on" });
});
after(async () => {
  assert.deepEqual(node.errors, []);
  await node.remove();
});

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly retryAfter: number;
}

/** Posts from one of this machine's own addresses. */
function post(path: string, body: object, from = "127.0.0.1"): Promise<Answer> {
  const headers = { "Content-Type": "application/json" };
  const options = { method: "POST", localAddress: from, headers, agent: false };
  return new Promise((resolve, reject) => {
    const request = http.request(`${node.url}/api/v1/auth/${path}`, options, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
      const { code } = (text === "" ? {} : JSON.parse(text)) as { code?: string };
      const retryAfter = Number(response.headers["retry-after"]);
      resolve({ status: response.statusCode ?? 0, code, retryAfter });
    });
    request.once("error", reject);
    request.end(JSON.stringify(body));
  });
}

const password = "long enough 1";
const freshEmail = () => `${randomUUID()}@example.org`;
async function account(): Promise<string> {
  const email = freshEmail();
  assert.equal((await post("register", { email, password }, "127.0.0.99")).status, 201);
  return email;
}
const codes = (answers: readonly Answer[]) => answers.map(({ code }) => code);
const WRONG = Array.from({ length: 5 }, () => "invalid_credentials");

async function guesses(count: number, email: string, from: string): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let n = 0; n < count; n += 1) {
    answers.push(await post("login", { email, password: `wrong ${n}` }, from));
  }
  return answers;
}

test("after five wrong passwords the sixth try waits, even with the right one", async () => {
  const email = await account();
  assert.deepEqual(codes(await guesses(5, email, "127.0.0.11")), WRONG);
  const refusal = await post("login", { email, password }, "127.0.0.11");
  assert.deepEqual([refusal.status, refusal.code], [429, "rate_limited"]);
  assert.ok(refusal.retryAfter > 0 && refusal.retryAfter <= 15 * 60, String(refusal.retryAfter));
  const spelled = { email: ` ${email.toUpperCase()} `, password };
  assert.equal((await post("login", spelled, "127.0.0.11")).code, "rate_limited");
});

test("it keeps neither the owner out, who comes from elsewhere, nor others here", async () => {
  const [email, other] = [await account(), await account()];
  await guesses(6, email, "127.0.0.12");
  assert.equal((await post("login", { email, password }, "127.0.0.13")).status, 200);
  assert.equal((await post("login", { email: other, password }, "127.0.0.12")).status, 200);
  assert.equal((await post("login", { email, password }, "127.0.0.12")).status, 429);
});

test("an address without an account is refused in the same words at the same time", async () => {
  const [known, unknown] = [await account(), freshEmail()];
  const asKnown = codes(await guesses(7, known, "127.0.0.14"));
  assert.deepEqual(asKnown, codes(await guesses(7, unknown, "127.0.0.14")));
});

test("a right password clears the count; many guesses at once are as many in a row", async () => {
  const email = await account();
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(codes(await guesses(4, email, "127.0.0.15")), WRONG.slice(1));
    assert.equal((await post("login", { email, password }, "127.0.0.15")).status, 200);
  }
  const body = { email, password: "wrong" };
  const burst = await Promise.all(
    Array.from({ length: 12 }, () => post("login", body, "127.0.0.15")),
  );
  assert.deepEqual(
    codes(burst).filter((code) => code === "invalid_credentials"),
    WRONG,
  );
});

test("who asks for many at once hears no more than in a row", async () => {
  const email = await account();
  const burst = await Promise.all(
    Array.from({ length: 120 }, () => post("register", { email, password }, "127.0.0.17")),
  );
  const told = codes(burst).filter((code) => code === "email_taken");
  assert.equal(told.length, 20);
  const others = codes(burst).filter((code) => code !== "email_taken");
  assert.deepEqual(new Set(others), new Set(["busy"]));
  assert.equal((await post("register", { email, password }, "127.0.0.17")).code, "rate_limited");
});

test("who asks for many addresses, whether they are taken, hears nothing more", async () => {
  const email = await account();
  const asked: Answer[] = [];
  for (let n = 0; n < 20; n += 1) {
    asked.push(await post("register", { email, password }, "127.0.0.16"));
  }
  assert.deepEqual(new Set(codes(asked)), new Set(["email_taken"]));
  for (const one of [email, freshEmail()]) {
    const refusal = await post("register", { email: one, password }, "127.0.0.16");
    assert.equal(refusal.code, "rate_limited");
  }
  assert.equal((await post("forgot-password", { email }, "127.0.0.16")).code, "rate_limited");
  const token = "x".repeat(43);
  const reset = await post("reset-password", { token, password }, "127.0.0.16");
  assert.equal(reset.code, "rate_limited");
});
