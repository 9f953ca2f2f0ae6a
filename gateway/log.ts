import { type Logger, pino } from "pino";

export type Log = Logger;

/** Names of members that never reach a log, wherever in the first two levels they stand. */
const SECRET_MEMBERS = [
  ...["password", "passwordHash", "accessToken", "refreshToken", "token", "authorization"],
  ...["jwtSecret", "opsToken", "databaseUrl", "redisUrl", "smtpUrl", "smtpBackupUrl"],
  ...["secretKey", "webhookSecret", "sandboxWebhookSecret", "clientSecret"],
  ...["bounceSecret", "privateKey"],
];

/** JSON on stdout. `level` is one of pino's. */
export function createLog(level: string): Log {
  return pino({
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRET_MEMBERS.flatMap((name) => [name, `*.${name}`]), censor: "[secret]" },
  });
}
