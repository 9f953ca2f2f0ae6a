/** Organisations and their members, as the catalogue's rooms show them. */
import Type from "typebox";
import { Id, Instant, listSchema, nullable } from "../http/answer-schemas.ts";

/** Fees and taxes as charge-rules.ts shows them; of organisations and of events. */
export const Charges = {
  fees: Type.Array(
    Type.Object(
      {
        name: Type.String(),
        fixed: Type.Optional(Type.Integer({ description: "Minor units." })),
        percent: Type.Optional(Type.String({ format: "percent" })),
      },
      { $id: "Fee" },
    ),
  ),
  tax: nullable(
    Type.Object(
      {
        name: Type.String(),
        percent: Type.String({ format: "percent" }),
        included: Type.Boolean({ description: "Whether prices include it." }),
      },
      { $id: "Tax" },
    ),
  ),
};

const Role = Type.Enum(["owner", "organizer", "staff"]);

export const Organization = Type.Object(
  {
    id: Id,
    name: Type.String(),
    allowInvoices: Type.Boolean({ description: "Whether places are booked before they are paid." }),
    currency: Type.String({ format: "currency" }),
    country: Type.String({ format: "country" }),
    createdAt: Instant,
    role: Type.Union([Role, Type.Null()], { description: "Your own; null: you are no member." }),
    ...Charges,
  },
  { $id: "Organization" },
);
export const OrganizationPage = listSchema("OrganizationPage", Organization);

export const Member = Type.Object(
  {
    id: Type.String({
      format: "id",
      description: "Names them in paths: until they accept it, the invitation's, then `userId`.",
    }),
    userId: Type.Union([Id, Type.Null()], {
      description: "null: they have not accepted; this tells nothing of whether they could.",
    }),
    email: Type.String(),
    role: Role,
  },
  { $id: "Member" },
);
export const MemberPage = listSchema("MemberPage", Member);

export const Invitation = Type.Object(
  {
    id: Id,
    email: Type.String(),
    role: Role,
    invitedAt: Instant,
    expiresAt: Instant,
  },
  { $id: "Invitation" },
);
export const InvitationPage = listSchema("InvitationPage", Invitation);

export const AcceptedInvitation = Type.Object(
  {
    organizationId: Id,
    userId: Id,
    role: Role,
    passwordNeeded: Type.Optional(
      Type.Literal(true, {
        description: "The account has no password any more: set one with a forgotten password.",
      }),
    ),
  },
  { $id: "AcceptedInvitation" },
);
