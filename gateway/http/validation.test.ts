import assert from "node:assert/strict";
import { describe, it } from "node:test";
import Type, { type TSchema } from "typebox";
import { requestLike } from "../../tests/support/requests.ts";
import { ProblemError } from "./problem.ts";
import { compileSchema, optional, readBody } from "./validation.ts";

function errorsOf(schema: TSchema, value: unknown): Record<string, string> {
  const checked = compileSchema(schema)(value);
  return checked.ok
    ? {}
    : Object.fromEntries(checked.errors.map(({ path, message }) => [path, message]));
}

const Order = Type.Object({
  items: Type.Array(Type.Object({ seat: Type.String(), price: Type.Integer({ minimum: 0 }) })),
  email: optional(Type.String({ format: "email" })),
});

describe("compileSchema", () => {
  it("names every wrong place in dots and brackets, in words", () => {
    assert.deepEqual(errorsOf(Order, { items: [{ seat: 1, price: -1 }, { price: 1.5 }, 7] }), {
      "items[0].seat": "must be a string",
      "items[0].price": "must be at least 0",
      "items[1].seat": "is missing",
      "items[1].price": "must be a whole number",
      "items[2]": "must be an object",
    });
    assert.deepEqual(errorsOf(Order, null), { "": "must be an object" });
  });

  it("says of an optional member only what its type complains about", () => {
    assert.deepEqual(errorsOf(Order, { items: [], email: null }), {});
    assert.deepEqual(errorsOf(Order, { items: [], email: 3 }), { email: "must be a string" });
    assert.deepEqual(errorsOf(Order, { items: [], email: "x" }), {
      email: "must be an email address",
    });
  });

  it("says of a member of several types all of them", () => {
    const Named = Type.Object({ id: optional(Type.Union([Type.String(), Type.Number()])) });
    assert.deepEqual(errorsOf(Named, { id: {} }), { id: "must be a string or a number" });
    assert.deepEqual(errorsOf(Named, { id: 1 }), {});
  });

  it("says of a text that was given as a number what it is to look like", () => {
    const Tax = Type.Object({
      percent: Type.String({ format: "percent" }),
      discounts: Type.Array(Type.Object({ percent: optional(Type.String({ format: "percent" })) })),
      from: optional(Type.String({ format: "moment" })),
    });
    const errors = errorsOf(Tax, { percent: 19, discounts: [{ percent: 2.5 }], from: 1.8e12 });
    assert.match(errors.percent ?? "", /as a text.*"2\.5"/);
    assert.equal(errors["discounts[0].percent"], errors.percent);
    assert.match(errors.from ?? "", /RFC 3339/);
    const of = errorsOf(Tax, { percent: "150" }).percent ?? "";
    assert.match(of, /a percentage from 0 to 100/);
    assert.doesNotMatch(of, /as a text/);
  });

  it("knows an instant from a local time, and no format that it can't test", () => {
    const Key = Type.Object({ from: Type.String({ format: "instant" }) });
    for (const from of ["12345678", "2030-05-04T19:30", "2030-02-30T19:30Z"]) {
      assert.match(errorsOf(Key, { from }).from ?? "", /RFC 3339 time with its offset/, from);
    }
    assert.deepEqual(errorsOf(Key, { from: "2030-05-04T19:30:00+02:00" }), {});
    const Odd = Type.Object({ keys: Type.Array(Type.String({ format: "instnat" })) });
    assert.throws(() => compileSchema(Odd), /no format is called instnat/);
  });

  it("takes no time that an answer could not show again", () => {
    const Event = Type.Object({ from: Type.String({ format: "moment" }) });
    for (const from of ["9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"]) {
      assert.deepEqual(Object.keys(errorsOf(Event, { from })), ["from"], from);
    }
    for (const from of ["9999-12-31T23:59:59Z", "0001-01-01T00:00"]) {
      assert.deepEqual(errorsOf(Event, { from }), {}, from);
    }
  });

  it("quotes names that are no identifiers", () => {
    const Prices = Type.Record(Type.String(), Type.String());
    assert.deepEqual(errorsOf(Type.Object({ by: Prices }), { by: { "a b/c": 1, ä: 2 } }), {
      'by["a b/c"]': "must be a string",
      "by.ä": "must be a string",
    });
  });

  it("ignores members that it does not know", () => {
    assert.deepEqual(errorsOf(Order, { items: [], later: true }), {});
  });

  it("names at most 20 wrong places", () => {
    const items = Array.from({ length: 50 }, () => ({ price: 1 }));
    assert.equal(Object.keys(errorsOf(Order, { items })).length, 20);
  });

  it("of a list that is too long says nothing else: it may have any number of items", () => {
    const Short = Type.Object({
      halls: Type.Array(
        Type.Object({ rows: optional(Type.Array(Type.String(), { maxItems: 2 })) }),
      ),
    });
    const value = {
      halls: [{ rows: ["A"] }, { rows: [1, 2, 3] }, {}, { rows: null }, { rows: 7 }],
    };
    assert.deepEqual(errorsOf(Short, value), {
      "halls[1].rows": "must not have more than 2 items",
    });
    assert.deepEqual(errorsOf(Short, { halls: [{ rows: [1] }] }), {
      "halls[0].rows[0]": "must be a string",
    });
  });

  const formats: readonly (readonly [format: string, good: string[], bad: string[]])[] = [
    [
      "moment",
      [
        "2030-05-04T19:30:00Z",
        "2028-02-29T00:00:00.123+02:00",
        "2030-05-04t19:30z",
        "2030-05-04T19:30",
        "2030-05-04T19:30:15.5",
      ],
      ["2030-05-04", "2030-02-30T00:00", "2030-02-30T00:00:00Z", "2030-05-04T24:00:00Z", "x"],
    ],
    [
      "percent",
      ["0", "19", "2.5", "7.25", "100"],
      ["", "-1", "2.555", "100.01", "1e1", "19%", "1,5"],
    ],
    ["email", ["a@example.com", " Ä@exämple.de "], ["a", "a@b", "a b@c.de", "a@b.", "@b.de"]],
    ["line", ["Zauberflöte", "魔笛"], ["", "  ", "a\nb", "a\0"]],
    ["key", ["stalls", "A-1_b.c", "Ränge"], ["", "a b", "x".repeat(65), "a/b"]],
    ["currency", ["EUR", "JPY"], ["eur", "EURO", "QQQ"]],
    ["timezone", ["Europe/Berlin", "UTC"], ["Mars/Base", "+01:00", ""]],
    ["country", ["DE"], ["de", "DEU"]],
    ["id", ["018f3c9a-7b10-74d2-91c0-5e07a4b1c2d3"], ["018F3C9A-7B10-74D2-91C0-5E07A4B1C2D3", "1"]],
  ];
  for (const [format, good, bad] of formats) {
    it(`knows the format ${format}`, () => {
      const check = compileSchema(Type.String({ format }));
      for (const text of good) assert.equal(check(text).ok, true, text);
      for (const text of bad) assert.equal(check(text).ok, false, text);
    });
  }
});

describe("readBody", () => {
  it("throws validation_failed with the places as a member", () => {
    const request = requestLike({
      body: Buffer.from('{"items":[{}]}'),
      contentType: "application/json",
    });
    assert.throws(
      () => readBody(compileSchema(Order), request),
      (error) => {
        assert.ok(error instanceof ProblemError);
        assert.equal(error.code, "validation_failed");
        assert.equal(error.members.detail, "items[0].seat is missing; and 1 more error");
        return true;
      },
    );
  });
});
