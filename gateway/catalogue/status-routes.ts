import type { EventId } from "../../engine/ids.ts";
import { parseEventId } from "../../engine/ids.ts";
import { commandKey, isIdempotencyKey, REPLAYED } from "../booking/command-key.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute } from "../http/routes.ts";
import { validationFailed } from "../http/validation.ts";
import { type Identity, requireIdentity, type Tokens } from "../identity/tokens.ts";
import type { ScopedRows } from "../tenancy/database.ts";
import { organizerView } from "./event-view.ts";
import type { Events, Moved } from "./events.ts";
import { KeptOutcomes } from "./kept-outcomes.ts";

export interface StatusPorts {
  readonly events: Events;
  readonly tokens: Tokens;
  readonly database: ScopedRows;
}

type Move = (identity: Identity, eventId: EventId) => Promise<Moved>;

/** An event is put on sale, or cancelled. */
export function statusRoutes({ events, tokens, database }: StatusPorts): Route[] {
  const kept = new KeptOutcomes(database);
  const route = (name: string, move: Move): Route => {
    const handle = async (request: HttpRequest): Promise<HttpResponse> => {
      const identity = requireIdentity(tokens, request);
      const { idempotencyKey, body: given, params } = request;
      checkKey(idempotencyKey);
      const eventId = parseEventId(params[0]);
      if (eventId === null) throw new ProblemError("event_not_found");
      const run = async () => {
        const { event, isChange } = await move(identity, eventId);
        return { status: 200, body: JSON.stringify(organizerView(event)), isChange };
      };
      if (idempotencyKey === "") return responseOf(await run());
      // Who may not do it, or may no more, is told nothing of what was answered once.
      await events.requireOrganized(identity, eventId);
      const key = commandKey(identity.userId, idempotencyKey, [name, eventId, given.toString()]);
      const { isReplay, ...outcome } = await kept.once({ identity, eventId, key }, run);
      const response = responseOf(outcome);
      return isReplay ? { ...response, headers: REPLAYED } : response;
    };
    return { method: "POST", path: `/api/v1/events/:id/${name}`, handler: asyncRoute(handle) };
  };
  return [
    route("publish", (identity, eventId) => events.publish(identity, eventId)),
    route("cancel", (identity, eventId) => events.cancel(identity, eventId)),
  ];
}

const responseOf = ({ status, body }: { status: number; body: string }): HttpResponse => ({
  status,
  body,
});

function checkKey(idempotencyKey: string): void {
  if (idempotencyKey === "" || isIdempotencyKey(idempotencyKey)) return;
  const message = "must be 1 to 128 visible ASCII characters";
  throw validationFailed([{ path: "Idempotency-Key", message }]);
}
