import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { SmtpRelay } from "./smtp-relay.ts";

const mail = { to: "anna@example.org", subject: "Hello", text: "Token: a-b_c\n" };

/** A mail server that knows just enough, and refuses whom it is told to. */
async function mailServer(refused: string) {
  const heard: string[] = [];
  let inData = false;
  const server = createServer((socket) => {
    const say = (line: string) => socket.write(`${line}\r\n`);
    say("220 test");
    createInterface({ input: socket }).on("line", (line) => {
      heard.push(line);
      if (inData) {
        if (line === ".") {
          inData = false;
          say("250 taken");
        }
      } else if (line.startsWith("RCPT") && line.includes(refused)) say("550 no such user");
      else if (line === "DATA") {
        inData = true;
        say("354 go on");
      } else say("250 ok");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { heard, url: `smtp://127.0.0.1:${port}`, close: () => server.close() };
}

test("a mail is handed to the server, and what the server refuses is told", async (t) => {
  const server = await mailServer("nobody@");
  const relay = new SmtpRelay({ url: server.url, from: "Evently <no-reply@example.org>" });
  t.after(() => {
    relay.close();
    server.close();
  });
  await relay.deliver(mail);
  assert.ok(server.heard.includes("MAIL FROM:<no-reply@example.org>"), server.heard.join("\n"));
  assert.ok(server.heard.includes("RCPT TO:<anna@example.org>"));
  for (const line of ["From: Evently <no-reply@example.org>", "Subject: Hello", "Token: a-b_c"]) {
    assert.ok(server.heard.includes(line), `${line} in ${server.heard.join("\n")}`);
  }
  await assert.rejects(relay.deliver({ ...mail, to: "nobody@example.org" }), /no such user/);
});
