import assert from "node:assert/strict";
import { test } from "node:test";
import { bouncesOfReport, checkBounces } from "./bounce-report.ts";

/** As Postfix writes them. */
function dsn(groups: readonly string[], original = "Message-ID: <abc.campaign@tickets.example>") {
  const text = `From: MAILER-DAEMON@mx.example
To: no-reply@tickets.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Sat, 4 May 2030 10:00:00 +0000

${groups.join("\n\n")}

--b1
Content-Type: text/rfc822-headers

${original}
Subject: News

--b1--
`;
  return Buffer.from(text.replaceAll("\n", "\r\n"));
}

const group = (status: string, address: string, more = "Action: failed") =>
  `Final-Recipient: rfc822; ${address}
${more}
Status: ${status}
Diagnostic-Code: smtp; 550 ${status} <${address}>: not
    today`;

test("a mailbox that does not exist is a hard bounce of our mail", async () => {
  assert.deepEqual(await bouncesOfReport(dsn([group("5.1.1", "Anna@Example.org")])), [
    {
      type: "hard",
      address: "anna@example.org",
      messageId: "abc.campaign@tickets.example",
      reason: "5.1.1 smtp; 550 5.1.1 <Anna@Example.org>: not today",
    },
  ]);
});

test("what can't be the id of a mail of ours is none: strangers write these headers", async () => {
  const failed = [group("5.1.1", "anna@example.org")];
  for (const id of ["<x\0@y>", `<${"x".repeat(501)}>`, "<ü@y>", "< x@y >", "<>", ""]) {
    const [bounce] = await bouncesOfReport(dsn(failed, `Message-ID: ${id}`));
    assert.deepEqual([bounce?.address, bounce?.messageId], ["anna@example.org", null], id);
  }
});

test("what passes, or is not about the address, is a soft one", async () => {
  for (const status of ["5.2.2", "4.4.7", "5.7.1", "nonsense"]) {
    const [bounce] = await bouncesOfReport(dsn([group(status, "anna@example.org")]));
    assert.equal(bounce?.type, "soft", status);
  }
});

test("of several recipients each has its own, under the address that we wrote to", async () => {
  const forwarded = group(
    "5.1.1",
    "old@elsewhere.example",
    "Original-Recipient: rfc822;anna@example.org\nAction: Failed",
  );
  const report = dsn([
    forwarded,
    group("4.2.2", "ben@example.org"),
    group("4.4.1", "carl@example.org", "Action: delayed"),
    group("2.0.0", "dora@example.org", "Action: relayed"),
  ]);
  assert.deepEqual(
    (await bouncesOfReport(report)).map(({ type, address }) => [type, address]),
    [
      ["hard", "anna@example.org"],
      ["soft", "ben@example.org"],
    ],
  );
});

test("a reader's complaint is one", async () => {
  const text = `Content-Type: multipart/report; report-type=feedback-report; boundary=b
MIME-Version: 1.0

--b
Content-Type: text/plain

This is an email abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: <anna@example.org>
--b
Content-Type: message/rfc822

Message-ID: <abc.campaign@tickets.example>
To: anna@example.org

Spam
--b--
`;
  assert.deepEqual(await bouncesOfReport(Buffer.from(text.replaceAll("\n", "\r\n"))), [
    {
      type: "complaint",
      address: "anna@example.org",
      messageId: "abc.campaign@tickets.example",
      reason: "complaint: abuse",
    },
  ]);
});

test("what is no report tells of no bounce, however it is broken", async () => {
  const garbage = [
    "",
    "\0\xff\xfe garbage",
    "Subject: Re: News\r\n\r\nI am on holiday.",
    "Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/dsn",
    `Content-Type: multipart/mixed; boundary=x\r\n\r\n${"--x\r\n".repeat(2_000)}`,
    dsn(["Action: failed\nStatus: 5.1.1"]).toString("latin1").slice(0, 420),
  ];
  for (const text of garbage) {
    assert.deepEqual(await bouncesOfReport(Buffer.from(text, "latin1")), [], text.slice(0, 40));
  }
  const nobody = await bouncesOfReport(dsn(["Action: failed\nStatus: 5.1.1"], ""));
  assert.deepEqual(
    nobody.map(({ address, messageId }) => [address, messageId]),
    [[null, null]],
  );
});

test("who reports an unknown type of bounce is told of those that there are", () => {
  const checked = checkBounces({ type: "maybe" });
  assert.ok(!checked.ok);
  const wrong = checked.errors.find(({ path }) => path === "type");
  assert.equal(wrong?.message, "must be one of hard, soft, complaint");
});
