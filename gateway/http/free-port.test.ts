import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { freePort, ListenError } from "./free-port.ts";

test("why a port can't be had is said: it is taken, or the address is not this machine's", async () => {
  const taken = createServer();
  const port = await freePort("127.0.0.1", 0);
  await new Promise<void>((resolve) => taken.listen(port, "127.0.0.1", resolve));
  const failure = (code: string, message: RegExp) => (error: unknown) =>
    error instanceof ListenError &&
    message.test(error.message) &&
    (error.cause as NodeJS.ErrnoException).code === code;
  await assert.rejects(freePort("127.0.0.1", port), failure("EADDRINUSE", /EADDRINUSE.*listens/));
  taken.close();
  const elsewhere = failure("EADDRNOTAVAIL", /EADDRNOTAVAIL[^:]*: address not available[^:]*$/);
  await assert.rejects(freePort("192.0.2.1", 0), elsewhere);
});
