/**
 * What every connection begins with, whatever the database or its user has for a default: who has
 * waited for another's row looks again at what that one left, and does not fail.
 */
export const READ_COMMITTED = "SET default_transaction_isolation = 'read committed'";
