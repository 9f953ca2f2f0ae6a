/** What templates may name, kind by kind, with values as in a mail: nothing is null here. */
import type { BuiltInKind } from "./built-in-templates.ts";
import type { MailVariables } from "./template-engine.ts";

const TICKETS = [
  {
    place: "Section Stalls, Row F, Seat 12",
    category: "Stalls",
    price: "€45.00",
    code: "7K2M-XA9P-4G7K-2MXA",
    qr: "cid:ticket-1@evently",
  },
  {
    place: "Section Stalls, Row F, Seat 13",
    category: "Stalls",
    price: "€45.00",
    code: "9P4G-7K2M-XA7K-2MXA",
    qr: "cid:ticket-2@evently",
  },
];
const PLACES = TICKETS.map(({ place, category, price }) => ({ place, category, price }));

const OF_EVENTS = {
  event: {
    title: "Night of Strings",
    date: "Saturday, 14 November 2026",
    time: "19:30 – 22:00 CET",
    venue: "City Theatre, 1 Theatre Square, Berlin, Germany",
    startsAt: "2026-11-14T18:30:00.000Z",
    timezone: "Europe/Berlin",
    url: "https://tickets.example.org/events/0192f0c1-0000-7000-8000-000000000001",
  },
  organizer: { name: "City Theatre" },
  buyer: { firstName: "Anna" },
};
const OF_BOOKINGS = {
  ...OF_EVENTS,
  booking: {
    code: "7K2M-XA9P",
    total: "€90.00",
    url: "https://tickets.example.org/bookings/0192f0c1-0000-7000-8000-000000000002",
  },
  tickets: TICKETS,
};
const OF_TOKENS = {
  link: "https://tickets.example.org/page?token=abc",
  token: "abc",
};

export const SAMPLES: Readonly<Record<BuiltInKind, MailVariables>> = {
  confirmation: OF_BOOKINGS,
  change: {
    ...OF_BOOKINGS,
    change: { what: "moved", hasTickets: true, email: "ben@example.org" },
  },
  cancellation: {
    ...OF_BOOKINGS,
    cancellation: {
      isWhole: true,
      byEvent: false,
      reason: "The hall is closed",
      refund: "€90.00",
      tickets: PLACES,
    },
  },
  refund: { ...OF_BOOKINGS, refund: { amount: "€90.00", hasFailed: false } },
  waitlist_offer: {
    ...OF_EVENTS,
    offer: {
      until: "Monday, 2 November 2026, 18:45 CET",
      untilTime: "18:45 CET",
      places: PLACES,
      total: "€90.00",
      url: OF_EVENTS.event.url,
    },
  },
  reminder: {
    ...OF_BOOKINGS,
    reminder: { when: "Tomorrow", begins: "tomorrow at 19:30", ahead: "24h" },
  },
  event_change: {
    ...OF_BOOKINGS,
    eventChange: {
      isMoved: true,
      isElsewhere: false,
      previousDate: "Friday, 13 November 2026",
      previousTime: "19:30 CET",
    },
  },
  verification: OF_TOKENS,
  reset: OF_TOKENS,
  invitation: { ...OF_TOKENS, organization: "City Theatre", role: "organizer" },
};
