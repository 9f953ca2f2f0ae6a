import type { EventStore, StoredEvent } from "./catalogue/event-store.ts";

const EVENTS_SHOWN = 5;

type Catalogue = Pick<EventStore, "first" | "seatsOf">;

/** What a newcomer reads on the terminal after `npm start`: where it is and how to book. */
export async function banner(url: string, catalogue: Catalogue): Promise<string> {
  const events = await catalogue.first(EVENTS_SHOWN);
  const lines = ["", `Evently is ready at ${url}`, `What it answers is shown at ${url}/docs`];
  if (events.length > 0) lines.push("", "Events on sale:");
  for (const { eventId, title, venue, startsMs } of events) {
    const when = new Date(startsMs).toISOString().slice(0, 16).replace("T", " ");
    lines.push(`  ${eventId}  ${title}, ${venue?.name ?? "somewhere"}, ${when} UTC`);
  }
  const seated = events.find((event) => event.seatCount > 0) ?? events[0];
  if (seated !== undefined)
    lines.push(...howToBook(url, seated, await exampleOf(seated, catalogue)));
  lines.push("", "Stop with Ctrl-C.", "");
  return lines.join("\n");
}

/** One thing of the event to hold. */
async function exampleOf({ eventId, areas }: StoredEvent, catalogue: Catalogue): Promise<object> {
  const [seat] = await catalogue.seatsOf(eventId);
  return seat === undefined ? { area: areas[0]?.key, quantity: 1 } : { seat: seat.id };
}

function howToBook(url: string, { eventId }: StoredEvent, item: object): string[] {
  const authorized = '-H "Authorization: Bearer $TOKEN"';
  const asJson = "-H 'Content-Type: application/json'";
  const tokenOf = 'grep -o \'"accessToken":"[^"]*\' | cut -d\'"\' -f4';
  const booking = { payment: { provider: "none" }, email: "you@example.org" };
  return [
    "",
    "Book a place:",
    `  API=${url}/api/v1 EVENT=${eventId}`,
    `  TOKEN=$(curl -s -X POST $API/auth/guest | ${tokenOf})`,
    `  curl -s $API/events/$EVENT/holds ${authorized} ${asJson} \\`,
    `    -d '${JSON.stringify({ items: [item] })}'`,
    `  curl -s $API/events/$EVENT/bookings ${authorized} ${asJson} \\`,
    `    -d '${JSON.stringify({ holdId: "<id of the hold>", ...booking })}'`,
  ];
}
