/** The words of mails where nobody has put others in their place. */
import type { MailKind } from "../mail-order.ts";
import type { MailTemplate } from "./mail-template.ts";

/** Kinds whose words an organisation may choose: mails to those who go to its events. */
export const EDITABLE_KINDS = [
  ...(["confirmation", "change", "cancellation", "refund"] as const),
  ...(["waitlist_offer", "reminder", "event_change"] as const),
] as const;
export type EditableKind = (typeof EDITABLE_KINDS)[number];
/** The others are the platform's, as they are; a campaign is written by its organiser. */
export type BuiltInKind = Exclude<MailKind, "campaign">;

export const isEditable = (kind: string): kind is EditableKind =>
  EDITABLE_KINDS.some((known) => known === kind);

const GREETING = "<p>Hello{% if buyer.firstName %} {{ buyer.firstName }}{% endif %},</p>";
const WHEN_AND_WHERE = `<div class="panel">
<h3>{{ event.title }}</h3>
<p class="line">{{ event.date }}</p>
<p class="line">{{ event.time }}</p>
{% if event.venue != "" %}<p class="line">{{ event.venue }}</p>{% endif %}
</div>`;
const TICKETS = `<table>
{% for ticket in tickets %}<tr><td class="wraps">{{ ticket.place }}<br>
<span class="quiet">{{ ticket.category }}</span></td>
<td class="amount">{{ ticket.price }}</td></tr>
{% endfor %}<tr><td class="total">Total</td><td class="total amount">{{ booking.total }}</td></tr>
</table>`;
const CODES = `{% for ticket in tickets %}{% if ticket.qr %}<div class="panel">
<p>{{ ticket.place }}</p>
<p>
<img class="qr" src="{{ ticket.qr }}" width="176" height="176" alt="QR code of the ticket {{
ticket.code }}"></p>
<p class="line"><code>{{ ticket.code }}</code></p>
</div>{% endif %}{% endfor %}`;
const BOOKING = `<p class="quiet">Order <strong>{{ booking.code }}</strong></p>
{% if booking.url %}<p><a class="button" href="{{ booking.url }}">See your
booking</a></p>{% endif %}`;
const FAREWELL = '<p class="quiet">{{ organizer.name }}</p>';
const KEEP =
  '<p class="quiet">Each code lets one person in, once: keep them to yourself. ' +
  "All tickets are in the PDF attached, too.</p>";

/** A mail with one token, on a line of its own. */
const tokenMail = (subject: string, before: string, page: string, after: string): MailTemplate => ({
  subject,
  blocks: {
    intro: `<p>${before}</p>`,
    action: `{% if link %}<p><a class="button" href="{{ link }}">${page}</a></p>{% endif %}
<p>Token: <code>{{ token }}</code></p>`,
    footer: `<p class="quiet">${after}</p>`,
  },
});

export const BUILT_IN: Readonly<Record<BuiltInKind, MailTemplate>> = {
  confirmation: {
    subject:
      "Your {% if tickets.size == 1 %}ticket{% else %}tickets{% endif %} for {{ event.title }}",
    blocks: {
      greeting: GREETING,
      intro:
        "<p>your booking is confirmed. Here {% if tickets.size == 1 %}is your ticket" +
        "{% else %}are your {{ tickets.size }} tickets{% endif %}.</p>",
      event: WHEN_AND_WHERE,
      tickets: TICKETS,
      codes: `${CODES}${KEEP}`,
      details: BOOKING,
      footer: FAREWELL,
    },
  },
  change: {
    subject: `{% case change.what %}
{% when "moved" %}Your seat for {{ event.title }} has changed
{% when "received" %}You were given tickets for {{ event.title }}
{% when "handed_over" %}You have handed over your booking for {{ event.title }}
{% when "payment_failed" %}Your payment for {{ event.title }} has failed
{% when "payment_expired" %}Your booking for {{ event.title }} has run out
{% else %}Your payment for {{ event.title }} came too late
{% endcase %}`,
    blocks: {
      greeting: GREETING,
      intro: `{% case change.what %}
{% when "moved" %}<p>a seat of your booking was changed. These are your tickets now:</p>
{% when "received" %}<p>somebody has handed a booking over to you. These are your tickets; codes
that others may have do not admit any more.</p>
{% when "handed_over" %}<p>your booking now belongs to {{ change.email }}. The tickets that you
have do not admit any more.</p>
{% when "payment_failed" %}<p>your payment did not go through, and the booking is not confirmed.
While your places are still held you can pay again.</p>
{% when "payment_expired" %}<p>the time for your payment is over, and the places went back on
sale. You have not been charged.</p>
{% else %}<p>your payment came after your places had gone back on sale, and others have them by
now. You get all of it back: {{ booking.total }}.</p>
{% endcase %}`,
      event: WHEN_AND_WHERE,
      tickets: `{% if change.hasTickets %}${TICKETS}{% endif %}`,
      codes: `{% if change.hasTickets %}${CODES}${KEEP}{% endif %}`,
      details: BOOKING,
      footer: FAREWELL,
    },
  },
  cancellation: {
    subject: `{% if cancellation.byEvent %}Cancelled: {{ event.title }}
{% elsif cancellation.isWhole %}Your booking for {{ event.title }} is cancelled
{% else %}Tickets for {{ event.title }} are cancelled{% endif %}`,
    blocks: {
      greeting: GREETING,
      intro: `{% if cancellation.byEvent %}<p>we are sorry: {{ event.title }} will not take
place, and your tickets are cancelled.</p>
{% elsif cancellation.isWhole %}<p>your booking is cancelled. Its tickets do not admit any
more.</p>
{% else %}<p>some tickets of your booking are cancelled, and do not admit any more. The others
stay as they are.</p>{% endif %}
{% if cancellation.reason %}<p>Reason: {{ cancellation.reason }}</p>{% endif %}`,
      event: WHEN_AND_WHERE,
      tickets: `<h3>Cancelled</h3>
<table>{% for ticket in cancellation.tickets %}<tr><td class="wraps">{{ ticket.place }}<br>
<span class="quiet">{{ ticket.category }}</span></td>
<td class="amount">{{ ticket.price }}</td></tr>{% endfor %}</table>
{% if cancellation.refund %}<p>You get back {{ cancellation.refund }}. We tell you when it is on
its way.</p>{% endif %}`,
      details: BOOKING,
      footer: FAREWELL,
    },
  },
  refund: {
    subject: "Your refund for {{ event.title }}",
    blocks: {
      greeting: GREETING,
      intro: `{% if refund.hasFailed %}<p>we tried to pay {{ refund.amount }} back to you, and
could not. {{ organizer.name }} knows of it and will be in touch.</p>
{% else %}<p>we have paid {{ refund.amount }} back to you, the way you paid. It may take your
bank a few days.</p>{% endif %}`,
      event: WHEN_AND_WHERE,
      details: BOOKING,
      footer: FAREWELL,
    },
  },
  waitlist_offer: {
    subject: "Places for {{ event.title }}: yours until {{ offer.untilTime }}",
    blocks: {
      greeting: GREETING,
      intro:
        "<p>places for {{ event.title }} have become free, and they are kept for you until " +
        "<strong>{{ offer.until }}</strong>. After that, the next in line is asked.</p>",
      event: WHEN_AND_WHERE,
      places: `<table>{% for place in offer.places %}<tr><td class="wraps">{{ place.place }}<br>
<span class="quiet">{{ place.category }}</span></td>
<td class="amount">{{ place.price }}</td></tr>{% endfor %}
<tr><td class="total">Total</td><td class="total amount">{{ offer.total }}</td></tr></table>`,
      action:
        '{% if offer.url %}<p><a class="button" href="{{ offer.url }}">Book them now</a></p>' +
        "{% endif %}",
      footer: FAREWELL,
    },
  },
  reminder: {
    subject: "{{ reminder.when }}: {{ event.title }}",
    blocks: {
      greeting: GREETING,
      intro:
        "<p>a reminder: {{ event.title }} begins {{ reminder.begins }}. " +
        "We look forward to you.</p>",
      event: WHEN_AND_WHERE,
      tickets: `<table>{% for ticket in tickets %}<tr><td class="wraps">{{ ticket.place }}<br>
<span class="quiet">{{ ticket.category }}</span></td></tr>{% endfor %}</table>`,
      details: BOOKING,
      footer: FAREWELL,
    },
  },
  event_change: {
    subject: `{% if eventChange.isMoved %}New time: {{ event.title }}
{% else %}New place: {{ event.title }}{% endif %}`,
    blocks: {
      greeting: GREETING,
      intro: `{% if eventChange.isMoved %}<p>{{ event.title }} has a new time. Your tickets stay
good.</p>
<p>It was {{ eventChange.previousDate }}, {{ eventChange.previousTime }}, and is now:</p>
{% else %}<p>{{ event.title }} takes place elsewhere, or its address was corrected. Your tickets
stay good. It is now:</p>{% endif %}`,
      event: WHEN_AND_WHERE,
      details: BOOKING,
      footer: FAREWELL,
    },
  },
  verification: tokenMail(
    "Please confirm your email address",
    "Welcome to Evently. Please confirm, signed in, that this address is yours:",
    "Confirm the address",
    "It works once, within 48 hours. If you did not register, somebody else did: ignore it, or " +
      "ask for a new password, and the account is yours.",
  ),
  reset: tokenMail(
    "Set a new password",
    "Somebody, we hope you, asked for a new password for this address:",
    "Set a new password",
    "It works once, within an hour. If it was not you, ignore this mail: nothing has changed.",
  ),
  invitation: tokenMail(
    'You were invited to "{{ organization }}"',
    'You were made {{ role }} of "{{ organization }}" on Evently.</p>' +
      "<p>If you have an account with this address and have confirmed that it is yours, you have " +
      "the role already. Otherwise register with this address, or sign in, and then accept:",
    "Accept the invitation",
    "It works once, within 7 days. If you do not want this, ignore this mail; with an account, " +
      "you can leave at any time.",
  ),
};
