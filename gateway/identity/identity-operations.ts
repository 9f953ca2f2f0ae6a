import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../openapi/operation.ts";
import { LoginBody, LogoutBody, RefreshBody, RegisterBody } from "./identity-routes.ts";
import {
  Accepted,
  GuestToken,
  Me,
  PersonalData,
  SignedIn,
  User,
  UserAnswer,
} from "./identity-schemas.ts";
import { ForgotPasswordBody, ResetPasswordBody, VerifyEmailBody } from "./mail-routes.ts";
import { MeChangesBody } from "./me-routes.ts";

export const USER_EXAMPLE = {
  id: EXAMPLE.user,
  email: "ada@example.org",
  firstName: "Ada",
  lastName: null,
  role: "customer",
  emailVerified: true,
  emailOwned: true,
  createdAt: EXAMPLE.past,
};

const signedIn = (description: string): AnswerBody => ({
  description,
  schema: SignedIn,
  example: {
    user: USER_EXAMPLE,
    accessToken: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTk4In0.c2lnbmF0dXJl",
    expiresIn: 1800,
    refreshToken: "vZ3kq0c8o1w2T7mXrY5uHn4LdEeS6aBfGpJtKiQxWyA",
  },
  headers: ["Cache-Control"],
});
const userAnswer: AnswerBody = {
  description: "The account.",
  schema: UserAnswer,
  example: { user: USER_EXAMPLE },
};
const accepted: AnswerBody = {
  description: "Taken note of.",
  schema: Accepted,
  example: { status: "accepted" },
};
const token = "pT1yX9bqk3m0Zr5nW8sHc6vJdL2fGuEa";
const tag = "Accounts";

const entering: Operations = {
  "POST /api/v1/auth/register": {
    id: "register",
    tag,
    summary: "Create an account",
    description:
      "Signs in at once, and mails a token that shows that the address is read. With a guest's " +
      "access token the guest becomes the account, and keeps holds and bookings.",
    access: "optional",
    body: {
      name: "NewAccount",
      schema: RegisterBody,
      examples: {
        plain: { email: "ada@example.org", password: "correct horse battery", firstName: "Ada" },
      },
    },
    answers: { 201: signedIn("The new account, signed in.") },
    codes: ["email_taken"],
  },
  "POST /api/v1/auth/login": {
    id: "login",
    tag,
    summary: "Sign in",
    description:
      "An unknown address is answered as a wrong password is. With a guest's access token, the " +
      "guest's bookings are handed over to the account.",
    access: "optional",
    body: {
      name: "Credentials",
      schema: LoginBody,
      examples: { plain: { email: "ada@example.org", password: "correct horse battery" } },
    },
    answers: { 200: signedIn("Signed in.") },
    codes: ["invalid_credentials"],
  },
  "POST /api/v1/auth/refresh": {
    id: "refreshTokens",
    tag,
    summary: "Exchange a refresh token",
    description:
      "Each refresh token is good once. Showing one again ends everything that came of the same " +
      "sign-in: keep one refresh in flight, over all tabs.",
    access: "public",
    body: {
      name: "RefreshRequest",
      schema: RefreshBody,
      examples: { plain: { refreshToken: "vZ3kq0c8o1w2T7mXrY5uHn4LdEeS6aBfGpJtKiQxWyA" } },
    },
    answers: { 200: signedIn("The next pair of tokens.") },
    codes: ["unauthenticated"],
  },
  "POST /api/v1/auth/logout": {
    id: "logout",
    tag,
    summary: "Sign out",
    description:
      "Ends the sign-in that the refresh token or the access token belongs to. Repeatable.",
    access: "optional",
    body: {
      name: "LogoutRequest",
      schema: LogoutBody,
      isOptional: true,
      examples: { plain: { refreshToken: "vZ3kq0c8o1w2T7mXrY5uHn4LdEeS6aBfGpJtKiQxWyA" } },
    },
    answers: { 204: { description: "Ended, now or before." } },
    codes: ["unauthenticated"],
  },
  "POST /api/v1/auth/guest": {
    id: "becomeGuest",
    tag,
    summary: "Begin as a guest",
    description: "An id that may hold and book for 30 minutes. Booking as a guest needs an email.",
    access: "public",
    answers: {
      201: {
        description: "A guest's access token.",
        schema: GuestToken,
        example: {
          user: { id: EXAMPLE.user, role: "guest" },
          accessToken: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTk4In0.c2lnbmF0dXJl",
          expiresIn: 1800,
        },
        headers: ["Cache-Control"],
      },
    },
  },
};

const byMail: Operations = {
  "POST /api/v1/auth/verify-email": {
    id: "verifyEmail",
    tag,
    summary: "Show that an address is read",
    description:
      "With the mailed token: the address is verified; signed in as well, it is owned, and what " +
      "it was given is the account's. Signed in and without a token: another mail is sent.",
    access: "optional",
    body: {
      name: "EmailVerification",
      schema: VerifyEmailBody,
      isOptional: true,
      examples: { plain: { token } },
    },
    answers: { 200: userAnswer, 202: accepted },
    codes: ["token_invalid", "unauthenticated", "forbidden"],
  },
  "POST /api/v1/auth/forgot-password": {
    id: "forgotPassword",
    tag,
    summary: "Ask for a new password",
    description: "Answers the same whether or not there is such an account.",
    access: "public",
    body: {
      name: "ForgottenPassword",
      schema: ForgotPasswordBody,
      examples: { plain: { email: "ada@example.org" } },
    },
    answers: { 202: accepted },
  },
  "POST /api/v1/auth/reset-password": {
    id: "resetPassword",
    tag,
    summary: "Set a new password",
    description:
      "With the mailed token, which is good once and for an hour. Ends all sign-ins; the address " +
      "is owned.",
    access: "public",
    body: {
      name: "PasswordReset",
      schema: ResetPasswordBody,
      examples: { plain: { token, password: "a better one" } },
    },
    answers: { 204: { description: "The password is set." } },
    codes: ["token_invalid"],
  },
};

const me: Operations = {
  "GET /api/v1/users/me": {
    id: "getMe",
    tag,
    summary: "Who you are",
    description: "Of a guest there is no more than an id.",
    access: "user",
    answers: {
      200: {
        description: "The account, or the guest.",
        schema: Me,
        example: USER_EXAMPLE,
        headers: ["Cache-Control"],
      },
    },
  },
  "PATCH /api/v1/users/me": {
    id: "changeMe",
    tag,
    summary: "Change name or password",
    description:
      "What is absent stays as it is. A new password needs the old one, and ends all other " +
      "sign-ins. The email can't be changed.",
    access: "user",
    body: {
      name: "AccountChanges",
      schema: MeChangesBody,
      examples: {
        name: { firstName: "Ada", lastName: "Lovelace" },
        password: { password: "a better one", currentPassword: "correct horse battery" },
      },
    },
    answers: {
      200: {
        description: "The account as it is now.",
        schema: User,
        example: USER_EXAMPLE,
        headers: ["Cache-Control"],
      },
    },
    codes: ["forbidden", "invalid_credentials"],
  },
  "DELETE /api/v1/users/me": {
    id: "deleteMe",
    tag,
    summary: "Delete the account",
    description:
      "Bookings stay, under an id that leads to nobody. Repeated after a `503` it goes on where " +
      "it was.",
    access: "user",
    answers: { 204: { description: "Account, name, address and tokens are gone." } },
    codes: ["booking_pending", "last_owner", "forbidden"],
  },
  "GET /api/v1/users/me/export": {
    id: "exportMe",
    tag,
    summary: "Everything that is known of you",
    description: "Account, memberships, sign-ins, bookings, holds and places in line.",
    access: "user",
    answers: {
      200: {
        description: "The data.",
        schema: PersonalData,
        example: {
          user: USER_EXAMPLE,
          memberships: [],
          sessions: [{ since: EXAMPLE.past, until: EXAMPLE.show }],
          bookings: [],
          holds: [],
          waitlist: [],
        },
        headers: ["Cache-Control"],
      },
    },
    codes: ["forbidden"],
  },
};

export const identityOperations: Operations = { ...entering, ...byMail, ...me };
