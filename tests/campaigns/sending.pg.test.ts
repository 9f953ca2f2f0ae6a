/** What the notifier does with a campaign, from its beginning to each of its ends. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CAMPAIGN_ADDRESSES_KEPT_MS,
  CAMPAIGN_BATCHES_WAITING_MAX,
  CAMPAIGN_RECIPIENTS_MAX,
  CAMPAIGN_SENDS_MAX,
  CAMPAIGN_STALL_MS,
} from "../../engine/campaign-limits.ts";
import { TrackingTokens } from "../../gateway/campaigns/tracking-token.ts";
import type { MailContent, MailEnd, Mailer, MailOrder } from "../../gateway/mail/mail-order.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { API_URL, CampaignStage, JWT_SECRET, type NewCampaign, TEXT } from "./campaign-stage.ts";
import { addBooking, addCrowd, addEvent, addOrganization, addUser } from "./customers.ts";

interface Sent extends MailContent {
  readonly to: string;
  readonly key: string;
}

/** Remembers what it was given, and does as it is told. */
class ToldMailer implements Mailer {
  readonly sent: Sent[] = [];
  underWay = 0;
  underWayMax = 0;
  #told: (order: MailOrder) => MailEnd | Promise<MailEnd> = () => ({ end: "sent" });

  tell(told: (order: MailOrder) => MailEnd | Promise<MailEnd>): void {
    this.#told = told;
  }

  async send(order: MailOrder, compose: () => Promise<MailContent>): Promise<MailEnd> {
    this.underWay += 1;
    this.underWayMax = Math.max(this.underWayMax, this.underWay);
    const end = await this.#told(order);
    this.underWay -= 1;
    if (end.end !== "sent") return end;
    this.sent.push({ ...(await compose()), to: order.to, key: order.key });
    return end;
  }
}

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

async function withStage(
  people: number,
  act: (given: {
    readonly stage: CampaignStage;
    readonly mailer: ToldMailer;
    schedule(campaign?: Partial<NewCampaign>): Promise<string>;
  }) => Promise<void>,
): Promise<void> {
  const mailer = new ToldMailer();
  const stage = await CampaignStage.open(database.url, mailer);
  const organizationId = await addOrganization(stage.rows);
  if (people > 0) await addCrowd(stage.rows, organizationId, { people, events: 3 });
  try {
    await act({
      stage,
      mailer,
      schedule: (campaign) => stage.schedule({ organizationId, ...campaign }),
    });
  } finally {
    await stage.rows.query("UPDATE campaigns SET state = 'stopped' WHERE ended_at IS NULL");
    await stage.rows.query("DELETE FROM test_jobs");
    await stage.close();
  }
}

const AB = { samplePercent: 20, waitMinutes: 60, winnerBy: "clicks" } as const;
const variant = (subject: string) => ({ ...TEXT, subject });

test("everybody gets one mail, fifty at a time, and the queue is never full of them", async () => {
  await withStage(6_500, async ({ stage, mailer, schedule }) => {
    const id = await schedule();
    let isFull = false;
    mailer.tell(async () => {
      // The first ones wait until there are as many as there may be.
      while (!isFull && mailer.underWay < CAMPAIGN_SENDS_MAX) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      isFull = true;
      return { end: "sent" };
    });
    let queued = 0;
    for (let turn = 0; turn < 100 && (await stage.stateOf(id)) !== "sent"; turn++) {
      await stage.tick();
      queued = Math.max(queued, await stage.queue.count());
      await stage.runJobs();
    }
    assert.equal(queued, CAMPAIGN_BATCHES_WAITING_MAX);
    assert.deepEqual(await stage.ends(id), { sent: 6_500 });
    assert.equal(new Set(mailer.sent.map(({ to }) => to)).size, 6_500);
    assert.deepEqual(mailer.sent.map(({ key }) => key).sort(), await stage.keys(id));
    // The test's queue does two jobs at once.
    assert.ok(mailer.underWayMax <= 2 * CAMPAIGN_SENDS_MAX, String(mailer.underWayMax));
  });
});

test("a mail has its reader's name, and leads where it led", async () => {
  await withStage(0, async ({ stage, mailer }) => {
    const organizationId = await addOrganization(stage.rows, "Tick & <Tock>");
    const { id: eventId } = await addEvent(stage.rows, organizationId);
    const userId = await addUser(stage.rows, "ada@example.org", { firstName: "A<d>a" });
    await addBooking(stage.rows, { eventId, userId });
    const id = await stage.schedule({ organizationId });
    await stage.runUntil(id, "sent");
    const [mail] = mailer.sent;
    assert.ok(mail !== undefined);
    assert.deepEqual([mail.to, mail.subject], ["ada@example.org", "Hello A<d>a"]);
    assert.equal(mail.fromName, "Tick & <Tock>");
    assert.match(mail.html ?? "", /Tick &amp; &lt;Tock&gt; plays/);
    const tokens = new TrackingTokens(JWT_SECRET);
    const tokenOf = (kind: string) =>
      new RegExp(`${API_URL}/api/v1/mail/${kind}/([\\w-]+)`).exec(mail.html ?? "")?.[1] ?? "";
    const recipient = { campaignId: id, position: 0 };
    const url = "https://example.org/?a=1&b=2";
    assert.deepEqual(tokens.read("click", tokenOf("c")), { ...recipient, url });
    assert.deepEqual(tokens.read("open", tokenOf("o")), { ...recipient, url: "" });
    assert.deepEqual(tokens.read("objection", tokenOf("t")), { ...recipient, url: "" });
    // Who wants to go is not sent round about.
    assert.match(mail.html ?? "", /href="https:\/\/tickets.example.org\/unsubscribe\?to=ada%40/);
    assert.ok(!(mail.html ?? "").includes("ada@"), "addresses are not in what is counted");
  });
});

test("nothing is counted of who objects, nor where the organiser does not ask for it", async () => {
  await withStage(3, async ({ stage, mailer, schedule }) => {
    const address = "person1@domain1.example.org";
    await stage.rows.query("INSERT INTO tracking_objections (address) VALUES ($1)", [address]);
    await stage.runUntil(await schedule(), "sent");
    const isTracked = ({ html }: Sent) => /\/api\/v1\/mail\//.test(html ?? "");
    assert.deepEqual(
      mailer.sent.filter((mail) => !isTracked(mail)).map(({ to }) => to),
      [address],
    );
    mailer.sent.length = 0;
    await stage.runUntil(await schedule({ tracking: false }), "sent");
    assert.deepEqual([mailer.sent.length, mailer.sent.filter(isTracked).length], [3, 0]);
    await stage.rows.query("DELETE FROM tracking_objections");
  });
});

test("of two texts a sample decides, and the rest gets the winner", async () => {
  await withStage(2_500, async ({ stage, mailer, schedule }) => {
    const variants = [variant("One"), variant("Two"), variant("Three")];
    const id = await schedule({ variants, abTest: AB });
    await stage.runUntil(id, "sampling");
    const countOf = (subject: string) =>
      mailer.sent.filter((mail) => mail.subject === subject).length;
    assert.deepEqual(["One", "Two", "Three"].map(countOf), [167, 167, 166]);
    await stage.rows.query(
      `UPDATE campaign_recipients SET opens = 1, clicks = CASE variant WHEN 1 THEN 1 ELSE 0 END
       WHERE campaign_id = $1 AND position < 30`,
      [id],
    );
    // Before its time nothing is decided.
    await stage.tick();
    assert.equal(await stage.stateOf(id), "sampling");
    stage.aheadMs = AB.waitMinutes * 60_000 + 1_000;
    await stage.runUntil(id, "sent");
    assert.deepEqual(["One", "Two", "Three"].map(countOf), [167, 2_167, 166]);
    assert.equal(new Set(mailer.sent.map(({ to }) => to)).size, 2_500);
    const { rows } = await stage.rows.query<{ result: { winner: number; because: string } }>(
      "SELECT result FROM campaigns WHERE id = $1",
      [id],
    );
    assert.deepEqual([rows[0]?.result.winner, rows[0]?.result.because], [1, "rate"]);
  });
});

test("a domain that has had its share waits, the others do not, and nobody is lost", async () => {
  await withStage(1_500, async ({ stage, mailer, schedule }) => {
    const isFull = (to: string) => to.endsWith("@domain7.example.org");
    let asked = 0;
    mailer.tell(({ to }) => {
      if (!isFull(to)) return { end: "sent" };
      asked += 1;
      return { end: "later", afterMs: 60_000 };
    });
    const id = await schedule();
    for (let turn = 0; turn < 20; turn++) {
      await stage.tick();
      await stage.runJobs();
    }
    assert.deepEqual(await stage.ends(id), { sent: 1_470, waiting: 30 });
    // Not once a recipient: who is told `later` does not ask on.
    assert.ok(asked <= 2 * CAMPAIGN_SENDS_MAX, String(asked));
    assert.equal(await stage.stateOf(id), "sending");
    mailer.tell(() => ({ end: "sent" }));
    stage.aheadMs = 61_000;
    await stage.runUntil(id, "sent");
    assert.deepEqual(await stage.ends(id), { sent: 1_500 });
    assert.equal(new Set(mailer.sent.map(({ to }) => to)).size, 1_500);
  });
});

test("each end is written, and a failure that may pass is tried again", async () => {
  await withStage(60, async ({ stage, mailer, schedule }) => {
    const tried = new Set<string>();
    const numberOf = (to: string) => Number(/\d+/.exec(to)?.[0]);
    mailer.tell(({ to }) => {
      switch (numberOf(to) % 6) {
        case 1:
          return { end: "already" };
        case 2:
          return { end: "in_doubt" };
        case 3:
          return { end: "suppressed", reason: "unsubscribed" };
        case 4:
          return { end: "dead", reason: "550 no such user" };
        case 5:
          if (tried.has(to)) return { end: "sent" };
          tried.add(to);
          return { end: "again", reason: "451 later" };
        default:
          return { end: "sent" };
      }
    });
    const id = await schedule();
    await stage.tick();
    await stage.tick();
    await stage.tick();
    await stage.runJobs();
    assert.equal((await stage.ends(id)).waiting, 10);
    stage.aheadMs = 120_000;
    await stage.runUntil(id, "sent");
    const expected = { failed: 10, in_doubt: 10, sent: 30, suppressed: 10 };
    assert.deepEqual(await stage.ends(id), expected);
  });
});

test("once a stop is committed no mail begins", async () => {
  await withStage(3_000, async ({ stage, mailer, schedule }) => {
    const id = await schedule();
    let stop: Promise<unknown> | null = null;
    let atStop = 0;
    mailer.tell(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (stop === null && mailer.sent.length >= 400) {
        atStop = mailer.sent.length;
        const text = "UPDATE campaigns SET state = 'stopped' WHERE id = $1";
        stop = stage.rows.query(text, [id]);
      }
      // Whoever comes meanwhile is not done before it is committed.
      await stop;
      return { end: "sent" };
    });
    await stage.runUntil(id, "stopped");
    while (await stage.runJobs()) await stage.tick();
    const { sent = 0, waiting = 0 } = await stage.ends(id);
    assert.deepEqual([sent, sent + waiting], [mailer.sent.length, 3_000]);
    // Two jobs: each of their sends is done with the mail that it is at, and begins none.
    assert.ok(sent <= atStop + 2 * CAMPAIGN_SENDS_MAX, `${sent} after ${atStop}`);
    assert.equal(await stage.stateOf(id), "stopped");
  });
});

test("a node that stops puts its batch back", async () => {
  await withStage(1_000, async ({ stage, mailer, schedule }) => {
    const id = await schedule();
    mailer.tell(() => {
      if (mailer.sent.length === 100) stage.stopping.abort();
      return { end: "sent" };
    });
    for (let turn = 0; turn < 5; turn++) await stage.tick();
    await stage.runJobs();
    const { sent = 0 } = await stage.ends(id);
    assert.ok(sent >= 100 && sent <= 200, String(sent));
    assert.equal(await stage.queue.count(), 1);
    stage.stopping = new AbortController();
    await stage.runUntil(id, "sent");
    assert.deepEqual(await stage.ends(id), { sent: 1_000 });
    assert.equal(new Set(mailer.sent.map(({ to }) => to)).size, 1_000);
  });
});

test("a job that got lost is made anew", async () => {
  await withStage(2_500, async ({ stage, mailer, schedule }) => {
    const id = await schedule({ variants: [variant("One"), variant("Two")], abTest: AB });
    await stage.runUntil(id, "sampling");
    stage.aheadMs = AB.waitMinutes * 60_000 + 1_000;
    await stage.tick();
    await stage.tick();
    assert.equal(await stage.queue.count(), 3);
    await stage.rows.query("DELETE FROM test_jobs");
    await stage.tick();
    assert.equal(await stage.queue.count(), 0);
    stage.aheadMs += CAMPAIGN_STALL_MS + 1_000;
    await stage.runUntil(id, "sent");
    assert.equal(new Set(mailer.sent.map(({ to }) => to)).size, 2_500);
    assert.equal(mailer.sent.length, 2_500);
  });
});

test("several notifiers take a campaign no further than one would", async () => {
  await withStage(2_000, async ({ stage, mailer, schedule }) => {
    const second = await CampaignStage.open(database.url, mailer);
    const id = await schedule();
    for (let turn = 0; turn < 8; turn++) await Promise.all([stage.tick(), second.tick()]);
    assert.deepEqual(await stage.ends(id), { waiting: 2_000 });
    assert.equal(await stage.queue.count(), 2);
    await second.close();
    await stage.runUntil(id, "sent");
    assert.equal(mailer.sent.length, 2_000);
  });
});

test("a text that can't be filled in for somebody fails for them alone", async () => {
  await withStage(0, async ({ stage, mailer }) => {
    const organizationId = await addOrganization(stage.rows);
    const { id: eventId } = await addEvent(stage.rows, organizationId);
    const long = await addUser(stage.rows, "long@example.org", { firstName: "x".repeat(5_000) });
    for (const userId of [long, await addUser(stage.rows, "short@example.org")]) {
      await addBooking(stage.rows, { eventId, userId });
    }
    const block = `{% for a in (1..40) %}${"{{ firstName }}".repeat(40)}{% endfor %}`;
    const variants = [{ subject: "Hello", blocks: { main: block } }];
    const id = await stage.schedule({ organizationId, variants });
    await stage.runUntil(id, "sent");
    assert.deepEqual(
      mailer.sent.map(({ to }) => to),
      ["short@example.org"],
    );
    assert.deepEqual(await stage.ends(id), { failed: 1, sent: 1 });
  });
});

test("a campaign that would go to too many does not begin", async () => {
  await withStage(5, async ({ stage, mailer, schedule }) => {
    const id = await schedule();
    const almost = "UPDATE campaigns SET recipients = $2 WHERE id = $1";
    await stage.rows.query(almost, [id, CAMPAIGN_RECIPIENTS_MAX - 4]);
    await stage.runUntil(id, "stopped");
    assert.equal(mailer.sent.length, 0);
  });
});

test("a segment that nobody fits is sent, to nobody", async () => {
  await withStage(0, async ({ stage, schedule }) => {
    const id = await schedule();
    await stage.runUntil(id, "sent");
    assert.deepEqual(await stage.ends(id), {});
  });
});

test("where a campaign went is forgotten in time, and what came of it is not", async () => {
  await withStage(20, async ({ stage, schedule }) => {
    const id = await schedule();
    await stage.runUntil(id, "sent");
    const known = async () => {
      const text =
        "SELECT count(address)::int AS n FROM campaign_recipients WHERE campaign_id = $1";
      return (await stage.rows.query<{ n: number }>(text, [id])).rows[0]?.n;
    };
    await stage.tick();
    assert.equal(await known(), 20);
    stage.aheadMs = CAMPAIGN_ADDRESSES_KEPT_MS + 60_000;
    for (let turn = 0; turn < 20; turn++) await stage.tick();
    assert.equal(await known(), 0);
    assert.deepEqual(await stage.ends(id), { sent: 20 });
  });
});
