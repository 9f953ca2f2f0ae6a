/** Accounts and tokens as the routes show them. */
import Type from "typebox";
import { ExportedBooking, Hold } from "../booking/booking-schemas.ts";
import { Count, Id, Instant, nullable } from "../http/answer-schemas.ts";

export const User = Type.Object(
  {
    id: Id,
    email: Type.String(),
    firstName: nullable(Type.String()),
    lastName: nullable(Type.String()),
    role: Type.Enum(["customer", "admin"]),
    emailVerified: Type.Boolean({ description: "Whether somebody reads the mail of the address." }),
    emailOwned: Type.Boolean({
      description:
        "Whether that is who has the account: what the address is given is theirs. False though " +
        "verified: show another mail's token, signed in.",
    }),
    createdAt: Instant,
  },
  { $id: "User" },
);

export const Guest = Type.Object({ id: Id, role: Type.Literal("guest") }, { $id: "Guest" });

const accessToken = {
  accessToken: Type.String({ description: "Send it as `Authorization: Bearer`." }),
  expiresIn: Type.Integer({ minimum: 1, description: "Seconds." }),
};

export const SignedIn = Type.Object(
  {
    user: User,
    ...accessToken,
    refreshToken: Type.String({ description: "Good once, for `/auth/refresh`." }),
    handedOver: Type.Optional(
      Type.Object(
        { bookings: Count, left: Count },
        { description: "Of the guest whose token came along: handed over, and left behind." },
      ),
    ),
  },
  { $id: "SignedIn" },
);

export const GuestToken = Type.Object({ user: Guest, ...accessToken }, { $id: "GuestToken" });

export const UserAnswer = Type.Object({ user: User }, { $id: "UserAnswer" });

export const Accepted = Type.Object({ status: Type.Literal("accepted") }, { $id: "Accepted" });

/** An account, or the little there is of a guest. */
export const Me = Type.Union([User, Guest]);

export const PersonalData = Type.Object(
  {
    user: Me,
    memberships: Type.Array(
      Type.Object({ organizationId: Id, organization: Type.String(), role: Type.String() }),
    ),
    sessions: Type.Array(Type.Object({ since: Instant, until: Instant })),
    bookings: Type.Array(ExportedBooking),
    holds: Type.Array(Hold),
    waitlist: Type.Array(
      Type.Object({
        id: Id,
        eventId: Id,
        quantity: Count,
        status: Type.String(),
        joinedAt: Instant,
      }),
    ),
  },
  { $id: "PersonalData" },
);
