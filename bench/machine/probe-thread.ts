/** Entry of a thread that looks at the clock, or answers at once, as it is told. */
import { currentThread } from "../../workers/thread-context.ts";
import { watchClock } from "./clock-gaps.ts";
import type { FromProbeThread, ToProbeThread } from "./machine-probe.ts";

const { parent } = currentThread();
const tell = (message: FromProbeThread): void => parent.postMessage(message);

parent.on("message", ({ id, watchSeconds }: ToProbeThread) => {
  if (watchSeconds === null) tell({ kind: "answered", id });
  else tell({ kind: "watched", id, gaps: watchClock(watchSeconds) });
});
