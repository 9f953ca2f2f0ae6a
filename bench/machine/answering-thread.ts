/** Entry of a thread that sends back what it is sent, as soon as it is awake. */
import { parentPort } from "node:worker_threads";

parentPort?.on("message", (message: unknown) => parentPort?.postMessage(message));
parentPort?.postMessage("ready");
