/** Entry of the mail server's thread: it takes every mail, counts it, and keeps none. */
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { currentThread } from "../../workers/thread-context.ts";
import type { FromMailSink, ToMailSink } from "./mail-sink.ts";

const { parent } = currentThread();
const tell = (message: FromMailSink): void => parent.postMessage(message);
/** Mails by whom they were for. */
const mails = new Map<string, number>();
let count = 0;
let bytes = 0;

const server = new SMTPServer({
  disabledCommands: ["AUTH", "STARTTLS"],
  logger: false,
  onData: (stream, { envelope }, done) => {
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    stream.on("end", () => {
      for (const { address } of envelope.rcptTo) mails.set(address, (mails.get(address) ?? 0) + 1);
      count += 1;
      done();
    });
  },
});
// Whoever measures ends connections as it likes.
server.on("error", () => undefined);
server.listen(0, "127.0.0.1", () => {
  const { port } = server.server.address() as AddressInfo;
  tell({ kind: "listening", port });
});

parent.on("message", ({ id }: ToMailSink) => {
  const twice = [...mails.values()].filter((times) => times > 1).length;
  tell({ kind: "counted", id, count, bytes, recipients: mails.size, twice });
});
