/**
 * What answers have in common, as schemas. They validate nothing here: clients read them in the
 * OpenAPI document, and the tests hold every answer against them.
 */
import Type, { type TSchema } from "typebox";

export const Id = Type.String({ format: "id" });
export const Instant = Type.String({ format: "date-time" });
export const Count = Type.Integer({ minimum: 0 });

/** The event's sequence number of the last fact that an answer tells of. */
export const Seq = Type.Integer({
  minimum: 0,
  description:
    "The event's sequence number of the last change that this tells of: the order in which " +
    "requests won.",
});

/** Minor units, such as cents. */
export const Minor = Type.Integer({ description: "Minor units of the event's currency." });

export const Money = Type.Object(
  {
    amount: Type.Integer({ description: "Minor units, such as cents." }),
    currency: Type.String({ format: "currency" }),
  },
  { $id: "Money" },
);

export const nullable = <Schema extends TSchema>(schema: Schema) =>
  Type.Union([schema, Type.Null()]);

/** A page of a list; `name` is that of the schema. */
export const listSchema = <Schema extends TSchema>(name: string, item: Schema) =>
  Type.Object(
    {
      data: Type.Array(item),
      nextCursor: nullable(
        Type.String({ description: "Send it as `cursor` to read on; null: this was the last." }),
      ),
    },
    { $id: name },
  );
