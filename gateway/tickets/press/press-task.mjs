/** First module of a thread of the press: JavaScript, which every thread can load. */
import { loadModule } from "../../../workers/load-module.mjs";

const { press } = await loadModule(new URL("./press-task.ts", import.meta.url).href);
export default press;
