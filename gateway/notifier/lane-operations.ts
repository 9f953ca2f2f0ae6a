import Type from "typebox";
import { Count, listSchema, nullable } from "../http/answer-schemas.ts";
import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operation, Operations } from "../openapi/operation.ts";
import { LANES } from "./job.ts";
import { LettersQuery, ResendBody } from "./lane-routes.ts";

const tag = "Operations";
const LANE = Type.Enum([...LANES]);
const Ms = Type.Number({ minimum: 0 });

export const LanesReport = Type.Object(
  {
    outbox: Type.Object({
      waiting: Type.Integer({ description: "Entries, counted to 10,000." }),
      oldestMs: Ms,
    }),
    isHoldingBack: Type.Boolean({ description: "It makes room for a sale under way." }),
    lanes: Type.Array(
      Type.Object({
        name: LANE,
        isPaused: Type.Boolean(),
        concurrency: Type.Integer({ description: "Jobs that may run at once." }),
        running: Count,
        waiting: Count,
        active: Type.Integer({ description: "Begun, by any process." }),
        oldestDueMs: Type.Number({ description: "Since the oldest that is due was added." }),
        ended: Type.Object({ done: Count, later: Count, again: Count, dead: Count }),
        deadLetters: Count,
      }),
    ),
  },
  { $id: "LanesReport" },
);

export const DeadLetterShape = Type.Object(
  {
    id: Type.String({ format: "id" }),
    lane: LANE,
    kind: Type.String(),
    key: nullable(Type.String({ description: "What makes it one of a kind." })),
    data: Type.Record(Type.String(), Type.Unknown(), { description: "What the job was told." }),
    reason: Type.String(),
    diedAt: Type.String({ format: "date-time" }),
  },
  { $id: "DeadLetter" },
);

const letter = {
  id: EXAMPLE.booking,
  lane: "transactional",
  kind: "confirmation",
  key: EXAMPLE.booking,
  data: { eventId: EXAMPLE.event, bookingId: EXAMPLE.booking },
  reason: "550 5.1.1 there is no such user",
  diedAt: EXAMPLE.now,
};
const lane = {
  name: "transactional",
  isPaused: false,
  concurrency: 20,
  running: 3,
  waiting: 41,
  active: 3,
  oldestDueMs: 180,
  ended: { done: 1200, later: 4, again: 2, dead: 1 },
  deadLetters: 1,
};

type Told = Pick<Operation, "id" | "summary" | "description"> & Partial<Operation>;

function forOperators(told: Told, answers: Operation["answers"]): Operation {
  return { ...told, tag, access: "operator", answers };
}

const body = (given: Pick<AnswerBody, "description" | "schema" | "example">): AnswerBody => ({
  ...given,
  headers: ["Cache-Control"],
});
const nothing = (description: string): AnswerBody => ({ description, headers: ["Cache-Control"] });

export const laneOperations: Operations = {
  "GET /ops/lanes": forOperators(
    {
      id: "getLanes",
      summary: "The notifier's lanes",
      description: "What waits to be mailed or posted, how long, and what became of the rest.",
    },
    {
      200: body({
        description: "The report.",
        schema: LanesReport,
        example: { outbox: { waiting: 2, oldestMs: 40 }, isHoldingBack: false, lanes: [lane] },
      }),
    },
  ),
  "POST /ops/lanes/:lane/pause": forOperators(
    {
      id: "pauseLane",
      summary: "Pause a lane",
      description: "Nothing more is begun in it, on any node; what runs is finished.",
      codes: ["not_found"],
    },
    { 204: nothing("It is paused.") },
  ),
  "POST /ops/lanes/:lane/resume": forOperators(
    {
      id: "resumeLane",
      summary: "Resume a lane",
      description: "What has waited goes on.",
      codes: ["not_found"],
    },
    { 204: nothing("It is not paused.") },
  ),
  "GET /ops/dead-letters": forOperators(
    {
      id: "listDeadLetters",
      summary: "What failed for good",
      description: "Jobs that no further try would change, in the order in which they died.",
      query: LettersQuery,
    },
    {
      200: body({
        description: "A page of them.",
        schema: listSchema("DeadLetters", DeadLetterShape),
        example: { data: [letter], nextCursor: null },
      }),
    },
  ),
  "POST /ops/dead-letters/resend": forOperators(
    {
      id: "resendDeadLetters",
      summary: "Send a lane's dead letters again",
      description: "The oldest thousand.",
      body: {
        name: "ResendDeadLetters",
        schema: ResendBody,
        examples: { lane: { lane: "transactional" } },
      },
    },
    {
      202: body({
        description: "They are in the queue.",
        schema: Type.Object({ resent: Count }),
        example: { resent: 12 },
      }),
    },
  ),
  "GET /ops/dead-letters/:id": forOperators(
    {
      id: "getDeadLetter",
      summary: "One dead letter",
      description: "What the job was told, and why it failed.",
      codes: ["not_found"],
    },
    { 200: body({ description: "It.", schema: DeadLetterShape, example: letter }) },
  ),
  "POST /ops/dead-letters/:id/resend": forOperators(
    {
      id: "resendDeadLetter",
      summary: "Send one again",
      description: "As if it were new. Whoever has had it by now does not get it twice.",
      codes: ["not_found"],
    },
    { 202: nothing("It is in the queue.") },
  ),
  "DELETE /ops/dead-letters/:id": forOperators(
    {
      id: "dropDeadLetter",
      summary: "Drop one",
      description: "It is not sent any more.",
      codes: ["not_found"],
    },
    { 204: nothing("It is gone.") },
  ),
};
