/** What operators see of the notifier's lanes, and do about them. */
import Type from "typebox";
import { isUuidV7 } from "../../engine/ids.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { idPageFrom, idPageView, PageQuery } from "../http/page.ts";
import { ProblemError } from "../http/problem.ts";
import { compileQuery } from "../http/query.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, readBody } from "../http/validation.ts";
import { type OperatorPorts, requireOperator } from "../ops/operator.ts";
import type { DeadLetter } from "./dead-letters.ts";
import { LANES, type Lane } from "./job.ts";
import type { NotifierLink } from "./notifier-link.ts";
import type { OperatorsAnswer } from "./notifier-messages.ts";

export interface LaneRoutesPorts extends OperatorPorts {
  /** null: this node has none. */
  readonly notifier: Pick<NotifierLink, "figures" | "ask"> | null;
}

export const LettersQuery = Type.Object({
  ...PageQuery.properties,
  lane: Type.Optional(Type.Enum([...LANES], { description: "Only of this lane." })),
});
export const ResendBody = Type.Object({
  lane: Type.Enum([...LANES], { description: "Whose dead letters are sent again." }),
});
const readQuery = compileQuery(LettersQuery);
const checkResend = compileSchema(ResendBody);

export function laneRoutes(ports: LaneRoutesPorts): Route[] {
  const route = forOperators(ports);
  const ask: NotifierLink["ask"] = (question) => {
    if (ports.notifier === null) throw new ProblemError("busy", { detail: NO_NOTIFIER });
    return ports.notifier.ask(question);
  };
  const setPaused = (word: "pause" | "resume"): Route =>
    route("POST", `/ops/lanes/:lane/${word}`, async ({ params }) => {
      await ask({ ask: word, lane: laneOf(params[0]) });
      return { status: 204, body: null };
    });
  return [
    route("GET", "/ops/lanes", () => Promise.resolve(json(200, report(ports.notifier)))),
    setPaused("pause"),
    setPaused("resume"),
    route("GET", "/ops/dead-letters", async (request) => {
      const { lane = null, ...given } = readQuery(request.query);
      const page = idPageFrom(given);
      const { after, limit } = page;
      const letters = lettersIn(await ask({ ask: "letters", lane, after, limit: limit + 1 }));
      return json(200, idPageView(letters, page));
    }),
    route("POST", "/ops/dead-letters/resend", async (request) => {
      const { lane } = readBody(checkResend, request);
      return json(202, { resent: await ask({ ask: "resendLane", lane }) });
    }),
    route("GET", "/ops/dead-letters/:id", async ({ params }) => {
      const letter = await ask({ ask: "letter", letterId: letterIdOf(params[0]) });
      if (letter === null) throw new ProblemError("not_found");
      return json(200, letter);
    }),
    route("POST", "/ops/dead-letters/:id/resend", async ({ params }) => {
      const isThere = await ask({ ask: "resend", letterId: letterIdOf(params[0]) });
      if (isThere !== true) throw new ProblemError("not_found");
      return { status: 202, body: null };
    }),
    route("DELETE", "/ops/dead-letters/:id", async ({ params }) => {
      const isThere = await ask({ ask: "drop", letterId: letterIdOf(params[0]) });
      if (isThere !== true) throw new ProblemError("not_found");
      return { status: 204, body: null };
    }),
  ];
}

const NO_NOTIFIER = "This node has no notifier: it was started with NOTIFIER=off";

function report(notifier: LaneRoutesPorts["notifier"]): object {
  if (notifier === null) throw new ProblemError("busy", { detail: NO_NOTIFIER });
  const { figures } = notifier;
  if (figures === null) throw new ProblemError("busy", { detail: "The notifier is starting" });
  const { lanes, outbox, deadLetters, isHoldingBack } = figures;
  return {
    outbox,
    isHoldingBack,
    lanes: lanes.map(({ due: _, ...lane }) => ({
      ...lane,
      deadLetters: deadLetters[lane.name] ?? 0,
    })),
  };
}

function forOperators(ports: OperatorPorts) {
  return (
    method: Route["method"],
    path: string,
    handle: (request: HttpRequest) => Promise<HttpResponse>,
  ): Route => ({
    method,
    path,
    handler: asyncRoute(async (request) => {
      requireOperator(ports, request);
      return { ...(await handle(request)), headers: { "Cache-Control": "no-store" } };
    }),
  });
}

function laneOf(text: string | undefined): Lane {
  const lane = LANES.find((name) => name === text);
  if (lane === undefined) throw new ProblemError("not_found");
  return lane;
}

function letterIdOf(text: string | undefined): string {
  if (text === undefined || !isUuidV7(text)) throw new ProblemError("not_found");
  return text;
}

function lettersIn(answer: OperatorsAnswer): readonly DeadLetter[] {
  return Array.isArray(answer) ? answer : [];
}
