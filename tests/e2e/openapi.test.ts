/** The document of a running node: it is whole, and enough to book a seat with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import axios from "axios";
import { type Document, OpenAPIClientAxios } from "openapi-client-axios";
import { OPERATIONS } from "../../gateway/openapi/operations.ts";
import { templateOf } from "../../gateway/openapi/path-parameters.ts";
import { BoxOffice } from "../support/box-office.ts";
import { openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();

interface Served {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, object>>;
  readonly "x-undescribed"?: readonly string[];
}

test("every route of the node is in its document, and the document has no other", async () => {
  const { body, headers } = await office.api.get<Served>("/openapi.json");
  assert.match(headers["content-type"] ?? "", /^application\/json/);
  assert.equal(body.openapi, "3.1.0");
  assert.deepEqual(body["x-undescribed"] ?? [], [], "add them to their room's …-operations.ts");
  const served = Object.entries(body.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const described = Object.keys(OPERATIONS).map(templateOf);
  assert.deepEqual(served.sort(), described.sort());
});

test("who has the document is told so", async () => {
  const { headers } = await office.api.get("/openapi.json");
  const etag = headers.etag ?? "";
  const again = await office.api.get("/openapi.json", { headers: { "If-None-Match": etag } });
  assert.deepEqual([again.status, again.text], [304, ""]);
});

/** What a generated client answers with, as far as it is read here. */
interface Answered {
  readonly status: number;
  readonly data: {
    readonly id?: string;
    readonly accessToken?: string;
    readonly status?: string;
    readonly code?: string;
    readonly data?: readonly { readonly id: string; readonly title: string }[];
    readonly seats?: readonly { readonly id: string }[];
    readonly tickets?: readonly { readonly code: string; readonly seat: string }[];
  };
}

test("a client that is generated from the document registers, holds a seat and books it", async () => {
  await openStudio(office.api);
  const { data } = await axios.get<Document>(`${office.node.url}/openapi.json`);
  const generated = new OpenAPIClientAxios({
    definition: data,
    withServer: { url: office.node.url },
  });
  const client = await generated.init();
  const call = async (
    operationId: string,
    parameters: Readonly<Record<string, string>> = {},
    body?: object,
  ): Promise<Answered> => {
    const operation = generated.getOperation(operationId);
    assert.ok(operation !== undefined, operationId);
    return client.request(generated.getAxiosConfigForOperation(operation, [parameters, body]));
  };

  const email = "generated@example.org";
  const account = await call("register", {}, { email, password: "long enough 1" });
  assert.equal(account.status, 201);
  client.defaults.headers.common.Authorization = `Bearer ${account.data.accessToken}`;

  const [event] = (await call("listEvents", { limit: "5" })).data.data ?? [];
  const id = event?.id ?? "";
  const [seat] = (await call("listSeats", { id })).data.seats ?? [];
  const items = [{ seat: seat?.id }];
  const hold = await call("holdPlaces", { id, "Idempotency-Key": "generated" }, { items });
  assert.equal(hold.status, 201);

  const order = { holdId: hold.data.id, payment: { provider: "none" } };
  const booking = await call("book", { id }, order);
  assert.deepEqual([booking.status, booking.data.status], [201, "confirmed"]);
  assert.equal(booking.data.tickets?.[0]?.seat, seat?.id);
  const again = await call("getBooking", { id: booking.data.id ?? "" });
  assert.equal(again.data.code, booking.data.code);
});
