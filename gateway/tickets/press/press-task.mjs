/** First module of a thread of the press, which does not inherit the main thread's loader. */
import { register } from "tsx/esm/api";

register();
const { press } = await import("./press-task.ts");
export default press;
