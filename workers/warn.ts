import { writeSync } from "node:fs";

/**
 * A warning for the operator as one line of JSON on stderr, from any thread: for what neither fails
 * nor may pass in silence, where there is no log at hand.
 */
export function warn(message: string, fields: object): void {
  const line = { level: 40, time: Date.now(), ...fields, msg: message };
  writeSync(2, `${JSON.stringify(line)}\n`);
}
