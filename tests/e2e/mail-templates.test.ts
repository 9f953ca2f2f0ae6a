/** Organisers put their own words into mails; what could do harm is refused before it is kept. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { BookingId, EventId } from "../../engine/ids.ts";
import { BUILT_IN } from "../../gateway/mail/templates/built-in-templates.ts";
import { BoxOffice, refused, seats } from "../support/box-office.ts";
import { MessageBench } from "../support/message-bench.ts";
import type { BookingShape, EventShape } from "../support/shapes.ts";
import { ok, openStudio } from "../support/venue.ts";

interface TemplateShape {
  readonly kind: string;
  readonly subject: string;
  readonly blocks: Readonly<Record<string, string>>;
  readonly own: object | null;
  readonly variables: readonly string[];
  readonly updatedAt: string | null;
}
interface PreviewShape {
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

const office = BoxOffice.forThisFile();
const { api } = office;
const bench = new MessageBench(() => office.node.databaseUrl);
after(() => bench.close());

const pathOf = ({ organizationId }: EventShape, kind = ""): string =>
  `/api/v1/organizations/${organizationId}/mail-templates${kind === "" ? "" : `/${kind}`}`;
const asked = (body?: object) => ({ token: office.admin, ...(body === undefined ? {} : { body }) });

async function confirmationOf(event: EventShape, booked: BookingShape) {
  const reply = await api.get(`/api/v1/bookings/${booked.id}`, { token: office.admin });
  ok(reply);
  const [sent] = await bench.follow({
    kind: "booked",
    eventId: event.id as EventId,
    seq: booked.seq,
    change: null,
    subjectId: booked.id as BookingId,
    atMs: Date.now(),
  });
  return sent?.mail;
}

test("an organisation's own words are kept, previewed, sent, and taken back", async () => {
  const event = await openStudio(api, { title: "Gala" });
  const { data } = ok(await api.get<{ data: TemplateShape[] }>(pathOf(event), asked()));
  assert.ok(data.length === 7 && data.every(({ own }) => own === null));
  const path = pathOf(event, "confirmation");
  const own = {
    subject: "Juhu, {{ event.title }}!",
    blocks: { intro: '<p class="quiet">Bis bald, {{ buyer.firstName }}!</p>' },
  };
  const kept = ok(await api.put<TemplateShape>(path, asked(own)));
  assert.deepEqual(kept.own, own);
  assert.equal(kept.blocks.footer, BUILT_IN.confirmation.blocks.footer);
  assert.ok(kept.variables.includes("tickets[].place"));
  assert.deepEqual(ok(await api.get<TemplateShape>(path, asked())), kept);

  const sample = ok(await api.post<PreviewShape>(`${path}/preview`, asked()));
  assert.equal(sample.subject, "Juhu, Night of Strings!");
  assert.match(sample.html, /Bis bald, Anna!/);
  assert.doesNotMatch(sample.html, /cid:/);
  const { token } = await office.register();
  const booked = await office.book(event, token, seats("A-1"));
  const withBooking = ok(
    await api.post<PreviewShape>(`${path}/preview`, asked({ bookingId: booked.id })),
  );
  assert.equal(withBooking.subject, "Juhu, Gala!");
  assert.match(withBooking.text, /Seat 1/);
  const draft = { subject: "Not kept: {{ event.title }}", bookingId: booked.id };
  const unkept = ok(await api.post<PreviewShape>(`${path}/preview`, asked(draft)));
  assert.equal(unkept.subject, "Not kept: Gala");
  assert.equal((await confirmationOf(event, booked))?.subject, "Juhu, Gala!");

  ok(await api.delete(path, asked()), 204);
  ok(await api.delete(path, asked()), 204);
  assert.equal(ok(await api.get<TemplateShape>(path, asked())).own, null);
});

test("a broken or hostile template is refused with its place, and not kept", async () => {
  const event = await openStudio(api);
  const path = pathOf(event, "reminder");
  const table: readonly (readonly [body: object, path: string, message: RegExp])[] = [
    [{ blocks: { intro: "a\n{{ evnt.title }}" } }, "blocks.intro", /^line 2: there is no variable/],
    [{ blocks: { intro: "{% if %}" } }, "blocks.intro", /^line 1: /],
    [{ blocks: { intro: "\n<script>x</script>" } }, "blocks.intro", /^line 2: <script> is not/],
    [{ blocks: { intro: "<p onload='x'>" } }, "blocks.intro", /attribute onload/],
    [{ blocks: { intro: "{% include '/etc/passwd' %}" } }, "blocks.intro", /"include" not found/],
    [{ blocks: { intro: "{{ event.constructor }}" } }, "blocks.intro", /no variable/],
    [
      { blocks: { intro: "{% for a in (1..999999999) %}x{% endfor %}" } },
      "blocks.intro",
      /limit exceeded/,
    ],
    [{ blocks: { hidden: "x" } }, "blocks.hidden", /is no block of this mail/],
    [{ subject: "{{ reminder.whn }}" }, "subject", /no variable reminder\.whn/],
    [{ subject: 7 }, "subject", /must be/],
    [{ blocks: { intro: 7 } }, "blocks.intro", /must be/],
  ];
  for (const [body, at, message] of table) {
    for (const reply of [
      await api.put(path, asked(body)),
      await api.post(`${path}/preview`, asked(body)),
    ]) {
      const { errors = [] } = refused(reply, 400, "validation_failed");
      assert.equal(errors[0]?.path, at, JSON.stringify(body));
      assert.match(errors[0]?.message ?? "", message);
    }
  }
  assert.equal(ok(await api.get<TemplateShape>(path, asked())).own, null);
  for (const kind of ["verification", "campaign", "none"]) {
    refused(await api.get(pathOf(event, kind), asked()), 404, "mail_template_not_found");
  }
});

test("other organisations' bookings are nobody's to preview", async () => {
  const [event, other] = [await openStudio(api), await openStudio(api)];
  const { token } = await office.register();
  const booked = await office.book(other, token, seats("A-1"));
  const path = `${pathOf(event, "refund")}/preview`;
  refused(await api.post(path, asked({ bookingId: booked.id })), 404, "booking_not_found");
  refused(await api.post(path, asked({ bookingId: event.id })), 404, "booking_not_found");
});

test("a template that fails when it is sent gives way to the built-in one", async () => {
  const event = await openStudio(api, { title: "Gala" });
  const { token } = await office.register();
  const booked = await office.book(event, token, seats("A-1"));
  // As one that an older version of the checks had let pass.
  await bench.rows.query(
    "INSERT INTO mail_templates (organization_id, kind, template) VALUES ($1, 'confirmation', $2)",
    [event.organizationId, JSON.stringify({ subject: "{{ gone.variable }}" })],
  );
  const mail = await confirmationOf(event, booked);
  assert.equal(mail?.subject, "Your ticket for Gala");
  assert.match(bench.warnings.at(-1)?.message ?? "", /the built-in one is used/);
  assert.equal(bench.part.figures?.().template_fallbacks, 1);
});
