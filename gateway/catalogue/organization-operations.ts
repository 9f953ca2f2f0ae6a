import { PageQuery } from "../http/page.ts";
import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../openapi/operation.ts";
import { AcceptBody } from "./invitation-routes.ts";
import { MemberBody, MemberChangesBody } from "./member-routes.ts";
import { OrganizationBody, OrganizationChangesBody } from "./organization-routes.ts";
import {
  AcceptedInvitation,
  InvitationPage,
  Member,
  MemberPage,
  Organization,
  OrganizationPage,
} from "./organization-schemas.ts";

const tag = "Organizations";
const organization = {
  id: EXAMPLE.organization,
  name: "City Theatre",
  allowInvoices: true,
  currency: "EUR",
  country: "DE",
  createdAt: EXAMPLE.past,
  role: "owner",
  fees: [{ name: "Booking fee", fixed: 100 }],
  tax: { name: "VAT", percent: "7", included: true },
};
const grace = { email: "grace@example.org", role: "organizer" };
const member = { id: EXAMPLE.otherUser, userId: EXAMPLE.otherUser, ...grace };
const invited = { id: EXAMPLE.invitation, userId: null, ...grace };

const one = (description: string): AnswerBody => ({
  description,
  schema: Organization,
  example: organization,
});
const oneMember = (description: string): AnswerBody => ({
  description,
  schema: Member,
  example: member,
});

export const organizationOperations: Operations = {
  "POST /api/v1/organizations": {
    id: "createOrganization",
    tag,
    summary: "Create an organisation",
    description: "Whoever creates it is its owner. Guests can't.",
    access: "user",
    body: {
      name: "NewOrganization",
      schema: OrganizationBody,
      examples: {
        plain: { name: "City Theatre", allowInvoices: true },
        withCharges: {
          name: "City Theatre",
          currency: "EUR",
          country: "DE",
          fees: [{ name: "Booking fee", fixed: 100 }],
          tax: { name: "VAT", percent: "7", included: true },
        },
      },
    },
    answers: { 201: one("The organisation.") },
    codes: ["forbidden"],
  },
  "GET /api/v1/organizations": {
    id: "listOrganizations",
    tag,
    summary: "Your organisations",
    description: "Newest first. An administrator sees all.",
    access: "user",
    query: PageQuery,
    answers: {
      200: {
        description: "A page of them.",
        schema: OrganizationPage,
        example: { data: [organization], nextCursor: null },
      },
    },
  },
  "PATCH /api/v1/organizations/:id": {
    id: "changeOrganization",
    tag,
    summary: "Change an organisation",
    description:
      "For owners. What is absent stays as it is. Events that are published keep the fees and " +
      "the tax that they were published with.",
    access: "user",
    body: {
      name: "OrganizationChanges",
      schema: OrganizationChangesBody,
      examples: { plain: { name: "City Theatre Berlin", tax: null } },
    },
    answers: { 200: one("As it is now.") },
    codes: ["organization_not_found", "forbidden"],
  },
  "GET /api/v1/organizations/:id/members": {
    id: "listMembers",
    tag,
    summary: "Who belongs to it",
    description: "For owners and organisers, in the order of ids.",
    access: "user",
    query: PageQuery,
    answers: {
      200: {
        description: "A page of them.",
        schema: MemberPage,
        example: { data: [member], nextCursor: null },
      },
    },
    codes: ["organization_not_found", "forbidden"],
  },
  "POST /api/v1/organizations/:id/members": {
    id: "addMember",
    tag,
    summary: "Invite a member",
    description:
      "For owners. Whoever has an account that has shown the address to be theirs is a member at " +
      "once, others once they accept; all are mailed. The answer, and what lists show until they " +
      "accept, is the same for addresses with and without an account.",
    access: "user",
    body: {
      name: "NewMember",
      schema: MemberBody,
      examples: { plain: { email: "grace@example.org", role: "organizer" } },
    },
    answers: {
      201: { ...oneMember("The member, as all are shown until they accept."), example: invited },
    },
    codes: ["organization_not_found", "forbidden", "already_member", "limit_exceeded"],
  },
  "PATCH /api/v1/organizations/:id/members/:memberId": {
    id: "changeMember",
    tag,
    summary: "Give a member another role",
    description: "For owners. The last owner stays one.",
    access: "user",
    body: {
      name: "MemberChanges",
      schema: MemberChangesBody,
      examples: { plain: { role: "staff" } },
    },
    answers: { 200: oneMember("As they are now.") },
    codes: ["organization_not_found", "forbidden", "member_not_found", "last_owner"],
  },
  "DELETE /api/v1/organizations/:id/members/:memberId": {
    id: "removeMember",
    tag,
    summary: "Remove a member, or leave",
    description: "For owners; everybody may leave, but for the last owner.",
    access: "user",
    answers: { 204: { description: "They belong to it no more." } },
    codes: ["organization_not_found", "forbidden", "member_not_found", "last_owner"],
  },
  "GET /api/v1/organizations/:id/invitations": {
    id: "listInvitations",
    tag,
    summary: "Who was invited",
    description: "For owners: invitations of the last 7 days, in the order of ids.",
    access: "user",
    query: PageQuery,
    answers: {
      200: {
        description: "A page of them.",
        schema: InvitationPage,
        example: {
          data: [
            {
              id: EXAMPLE.invitation,
              ...grace,
              invitedAt: EXAMPLE.past,
              expiresAt: EXAMPLE.show,
            },
          ],
          nextCursor: null,
        },
      },
    },
    codes: ["organization_not_found", "forbidden"],
  },
  "DELETE /api/v1/organizations/:id/invitations/:invitationId": {
    id: "revokeInvitation",
    tag,
    summary: "Take an invitation back",
    description: "For owners; and with it the role that it gave.",
    access: "user",
    answers: { 204: { description: "It opens nothing any more." } },
    codes: ["organization_not_found", "forbidden", "invitation_not_found", "last_owner"],
  },
  "POST /api/v1/invitations/accept": {
    id: "acceptInvitation",
    tag,
    summary: "Accept an invitation",
    description:
      "With the token of its mail, which shows that the address is read. Register with that " +
      "address first, and be signed in. Without, an account whose address was not owned before " +
      "loses its password and its sign-ins, which may be a stranger's: set a new one.",
    access: "optional",
    body: {
      name: "InvitationToken",
      schema: AcceptBody,
      examples: { plain: { token: "2c5tK9n0x4bVwqz7JmL1eRfYhA8uGdPs" } },
    },
    answers: {
      200: {
        description: "The role, and where.",
        schema: AcceptedInvitation,
        example: { organizationId: EXAMPLE.organization, userId: EXAMPLE.user, role: "staff" },
      },
    },
    codes: ["token_invalid", "account_needed", "unauthenticated"],
  },
};
