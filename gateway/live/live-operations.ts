/** The WebSocket in the OpenAPI document: what may be said, and what is heard. */
import Type, { type TProperties, type TSchema } from "typebox";
import { MESSAGES_PER_FRAME_MAX } from "../../engine/door-limits.ts";
import type { LiveSection } from "../openapi/document.ts";
import { EXAMPLE } from "../openapi/example-values.ts";
import type { Operation, Operations } from "../openapi/operation.ts";
import { plain, type SchemaBook } from "../openapi/schema-book.ts";
import { NAMES_OF_OP, type Named } from "./desk-ops.ts";
import { Message } from "./live-message.ts";
import { SERVER_MESSAGES } from "./live-schemas.ts";

const members = Message.properties;
const NAMED_EXAMPLES: Readonly<Record<keyof Named, string>> = {
  eventId: EXAMPLE.event,
  holdId: EXAMPLE.hold,
  bookingId: EXAMPLE.booking,
  ticketId: EXAMPLE.item,
};

/** The ops of the desk, and the routes whose bodies and answers they have. */
export const LIVE_OPERATIONS: Readonly<Record<string, string>> = {
  hold: "POST /api/v1/events/:id/holds",
  change: "PATCH /api/v1/holds/:id",
  extend: "POST /api/v1/holds/:id/extend",
  release: "DELETE /api/v1/holds/:id",
  book: "POST /api/v1/events/:id/bookings",
  cancel: "POST /api/v1/bookings/:id/cancel",
  transfer: "POST /api/v1/bookings/:id/transfer",
  move: "POST /api/v1/bookings/:id/tickets/:ticketId/move",
  "waitlist.join": "POST /api/v1/events/:id/waitlist",
  "waitlist.leave": "DELETE /api/v1/events/:id/waitlist/me",
  "check-in": "POST /api/v1/events/:id/check-ins",
  inventory: "PATCH /api/v1/events/:id/inventory",
};

const DESCRIPTION = `
Text frames carry JSON. With the subprotocol \`evently.v1.msgpack\`, binary frames carry the same
maps in MessagePack, up to ${MESSAGES_PER_FRAME_MAX} in one, each behind the one before; all that
the server says comes in such frames then, several in one for who has said several in one.

Reading needs no token; otherwise say \`auth\`, or connect with \`?access_token=\`. A message that
makes no sense is answered with \`error\`, and the connection stays. A question may carry an
\`id\` (a string or a number), which its \`reply\` or \`error\` repeats. Who resumes and has
missed nothing hears nothing until something changes. A reader that is too slow is cut off with code
1013 and resumes with \`since\`. The upgrade is refused to pages of other origins (\`403
origin_not_allowed\`), and to an address that has too many connections (\`429
too_many_connections\`). Who asks for no upgrade hears \`426 upgrade_required\`.

Messages take effect in the order in which they were sent, each as whoever the socket was when it
came; only requests at work at the same time (holds, bookings …) may be answered in another order.
When the token is over, ops are 401, and in place of the next personal message the socket hears
\`error\` with \`unauthenticated\`, once: say \`auth\` with the next token. Deltas go on.
`.trim();

const UNSUBSCRIBE =
  "Answered with `unsubscribed`. Ends a `subscribe` that has no answer yet, too: it gets none.";

/** `operations`: those of the routes, whose bodies are said here, too. */
export function liveSection(operations: Operations): (book: SchemaBook) => LiveSection {
  return (book) => {
    const said = [
      ...Object.entries(plainMessages(book)),
      ...Object.entries(LIVE_OPERATIONS).map(([op, route]) => {
        return [op, deskMessage(op, operations[route], book)] as const;
      }),
    ];
    const heard = Object.entries(SERVER_MESSAGES).map(([op, message]) => {
      const { description, schema, example } = message;
      return [op, { description, schema: book.write(schema), example: plain(example) }];
    });
    return {
      path: "/ws",
      description: DESCRIPTION,
      clientMessages: Object.fromEntries(said),
      serverMessages: Object.fromEntries(heard),
    };
  };
}

function plainMessages(book: SchemaBook) {
  const { id, eventId, token, since } = members;
  const message = (
    op: string,
    description: string,
    [properties, example]: readonly [TProperties, object],
  ) => ({
    description,
    schema: book.write(Type.Object({ op: Type.Literal(op), id, ...properties })),
    example: plain({ op, ...example }),
  });
  const event = { eventId: needed(eventId) };
  return {
    auth: message("auth", "Who you are, from now on. Answered with `reply` if it has an `id`.", [
      { token: needed(token) },
      { id: 1, token: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTk4In0.c2lnbmF0dXJl" },
    ]),
    subscribe: message(
      "subscribe",
      "Answered with `snapshot`, or the deltas missed `since`; then every `delta` comes.",
      [
        { ...event, since },
        { eventId: EXAMPLE.event, since: { epoch: 3, seq: 4715 } },
      ],
    ),
    unsubscribe: message("unsubscribe", UNSUBSCRIBE, [event, { eventId: EXAMPLE.event }]),
  };
}

function deskMessage(op: string, operation: Operation | undefined, book: SchemaBook) {
  const { id, idempotencyKey } = members;
  const named = NAMES_OF_OP[op] ?? [];
  const body = operation?.body;
  const properties: TProperties =
    body !== undefined && "properties" in body.schema ? propertiesOf(body.schema.properties) : {};
  const schema = Type.Object({
    op: Type.Literal(op),
    id,
    ...Object.fromEntries(named.map((name) => [name, needed(members[name])])),
    ...(operation?.key === "kept" ? { idempotencyKey } : {}),
    ...properties,
  });
  const [example = {}] = Object.values(body?.examples ?? {});
  const names = Object.fromEntries(named.map((name) => [name, NAMED_EXAMPLES[name]]));
  return {
    description: `As \`${operation?.id}\` over HTTP; answered with \`reply\`.`,
    operationId: operation?.id ?? "",
    schema: book.write(schema),
    example: plain({ op, id: 1, ...names, ...(typeof example === "object" ? example : {}) }),
  };
}

/** A member that may be absent elsewhere; the copy has no mark of that. */
const needed = (schema: TSchema): TSchema => ({ ...schema });

function propertiesOf(value: unknown): TProperties {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
