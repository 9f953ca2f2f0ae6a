/** Templates of mails as they are asked for and shown. */
import Type from "typebox";
import { Instant, nullable } from "../../http/answer-schemas.ts";
import { optional } from "../../http/validation.ts";
import { EDITABLE_KINDS } from "./built-in-templates.ts";

const Source = Type.String({ format: "text" });
const Blocks = Type.Record(Type.String(), Source);
const own = { subject: Type.Optional(Source), blocks: Type.Optional(Blocks) };

/** Body of PUT …/mail-templates/{kind}. */
export const OwnTemplateBody = Type.Object(own);
/** Body of POST …/mail-templates/{kind}/preview. */
export const PreviewBody = Type.Object({
  ...own,
  bookingId: optional(
    Type.String({ format: "id", description: "Of the organisation's. Default: made-up data." }),
  ),
});

const Kind = Type.Union(EDITABLE_KINDS.map((kind) => Type.Literal(kind)));
const words = {
  subject: Type.String({ description: "Liquid, one line of plain text." }),
  blocks: Type.Record(Type.String(), Type.String(), {
    description: "Liquid in limited HTML, by name, in the order in which they are shown.",
  }),
};
const Words = Type.Object(words);
export const MailTemplateShape = Type.Object(
  {
    kind: Kind,
    ...words,
    own: nullable(
      Type.Partial(Words, {
        description: "What was put in place of the built-in words; null: nothing.",
      }),
    ),
    builtIn: Words,
    variables: Type.Array(Type.String(), {
      description: "What may be named, such as `event.title`; `tickets[].place` in loops.",
    }),
    updatedAt: nullable(Instant),
  },
  { $id: "MailTemplate" },
);
export const MailTemplateList = Type.Object(
  { data: Type.Array(MailTemplateShape) },
  { $id: "MailTemplateList" },
);
export const MailPreview = Type.Object(
  { subject: Type.String(), html: Type.String(), text: Type.String() },
  { $id: "MailPreview" },
);
