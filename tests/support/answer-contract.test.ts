import assert from "node:assert/strict";
import { test } from "node:test";
import { HOLD_EXAMPLE } from "../../gateway/booking/hold-operations.ts";
import { EXAMPLE } from "../../gateway/openapi/example-values.ts";
import { AnswerContract, documentedApi } from "./answer-contract.ts";

const contract = new AnswerContract(documentedApi());
const PATH = `/api/v1/events/${EXAMPLE.event}/holds`;
const JSON_TYPE = "application/json; charset=utf-8";
const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

interface Told {
  readonly method?: string;
  readonly path?: string;
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function faultOf(body: unknown, told: Told = {}): string | null {
  const { method = "POST", path = PATH, status = 201, type = JSON_TYPE, headers = {} } = told;
  const text = body === null ? "" : JSON.stringify(body);
  const all = { "x-request-id": "r", "content-type": type, ...headers };
  return contract.faultOf({ method, path, status, headers: all, text });
}

function problem(status: number, code: string, members: object = {}): object {
  return {
    type: `/problems/${code}`,
    title: "t",
    status,
    code,
    detail: "d",
    requestId: "r",
    ...members,
  };
}

test("what the document promises is no fault", () => {
  assert.equal(faultOf(HOLD_EXAMPLE), null);
  const taken = problem(409, "seat_unavailable", { seats: ["A-1"] });
  assert.equal(faultOf(taken, { status: 409, type: PROBLEM_TYPE }), null);
  assert.equal(faultOf(null, { method: "DELETE", path: `/api/v1/holds/x`, status: 204 }), null);
  const head = { method: "HEAD", path: "/health/live", headers: { "cache-control": "no-store" } };
  assert.equal(faultOf(null, { ...head, status: 200 }), null);
});

test("a member too many or too few, or of another form, is a fault", () => {
  const { seq, ...withoutSeq } = HOLD_EXAMPLE;
  assert.match(faultOf(withoutSeq) ?? "", /required property 'seq'/);
  assert.match(faultOf({ ...HOLD_EXAMPLE, secret: 1 }) ?? "", /additional properties/);
  const [item] = HOLD_EXAMPLE.items;
  const deep = { ...HOLD_EXAMPLE, items: [{ ...item, color: "red" }] };
  assert.match(faultOf(deep) ?? "", /additional properties/);
  assert.match(faultOf({ ...HOLD_EXAMPLE, seq: "1" }) ?? "", /seq must be integer/);
  assert.match(faultOf({ ...HOLD_EXAMPLE, expiresAt: "soon" }) ?? "", /date-time/);
  assert.match(faultOf({ ...HOLD_EXAMPLE, id: "1" }) ?? "", /uuid/);
});

test("a status, a code or a type that is not described is a fault", () => {
  assert.match(faultOf(HOLD_EXAMPLE, { status: 200 }) ?? "", /200 is not documented/);
  assert.match(faultOf(HOLD_EXAMPLE, { type: "text/html" }) ?? "", /no text\/html/);
  assert.match(faultOf(null) ?? "", /without its body/);
  const refusal = { status: 409, type: PROBLEM_TYPE };
  const strange = problem(409, "booking_cancelled");
  assert.match(faultOf(strange, refusal) ?? "", /409 booking_cancelled is not documented/);
  assert.match(faultOf(problem(409, "seat_unavailable"), refusal) ?? "", /'seats'/);
  const busy = { status: 503, type: PROBLEM_TYPE };
  assert.match(faultOf(problem(503, "busy"), busy) ?? "", /Retry-After/);
});

test("a path or a method that is not described has to be none", () => {
  const nowhere = { method: "GET", path: "/api/v1/nowhere" };
  const missing = { ...nowhere, status: 404, type: PROBLEM_TYPE };
  assert.equal(faultOf(problem(404, "not_found"), missing), null);
  assert.match(faultOf({ data: [] }, { ...nowhere, status: 200 }) ?? "", /not in the document/);
  const other = { method: "PUT", status: 405, type: PROBLEM_TYPE };
  const refused = problem(405, "method_not_allowed");
  assert.match(faultOf(refused, other) ?? "", /without Allow/);
  assert.equal(faultOf(refused, { ...other, headers: { allow: "POST" } }), null);
});

test("messages of a WebSocket are held against the document, replies as their op's answers", () => {
  const reply = { op: "reply", id: 1, status: 201, body: HOLD_EXAMPLE };
  assert.equal(contract.liveFaultOf(reply, "hold"), null);
  assert.match(contract.liveFaultOf({ ...reply, status: 200 }, "hold") ?? "", /answer 200/);
  assert.match(contract.liveFaultOf({ ...reply, body: {} }, "hold") ?? "", /required/);
  assert.match(contract.liveFaultOf({ op: "dance" }, undefined) ?? "", /no message "dance"/);
  const { requestId, ...taken } = problem(409, "seat_unavailable", {
    seats: ["A-1"],
  }) as Record<string, unknown>;
  const refused = { op: "reply", id: 1, status: 409, body: taken };
  assert.equal(contract.liveFaultOf(refused, "hold"), null);
  assert.match(contract.liveFaultOf(refused, "book") ?? "", /409 seat_unavailable/);
});
