/** Entry of the thread that holds over WebSockets. */
import { currentThread, threadData } from "../../workers/thread-context.ts";
import { HoldStream } from "./hold-stream.ts";
import { LiveCaller } from "./live-caller.ts";
import type { FromLiveLoad, LiveLoadOptions } from "./live-load.ts";

const { parent } = currentThread();
const tell = (message: FromLiveLoad): void => parent.postMessage(message);

async function run(options: LiveLoadOptions): Promise<void> {
  const { url, tokens, sockets } = options;
  const callers = await Promise.all(
    Array.from({ length: sockets }, (_, n) =>
      LiveCaller.open({ url, token: tokens[n % tokens.length] ?? "" }),
    ),
  );
  tell({ kind: "begun" });
  const before = performance.eventLoopUtilization();
  const stream = new HoldStream(callers, options);
  const timer = setInterval(() => tell({ kind: "held", count: stream.held }), 1_000);
  const result = await stream.run();
  clearInterval(timer);
  const { utilization } = performance.eventLoopUtilization(before);
  for (const caller of callers) caller.close();
  tell({ kind: "done", result: { ...result, busyShare: utilization } });
}

run(threadData<LiveLoadOptions>()).catch((error: unknown) => {
  tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
});
