/**
 * A reporter of node's test runner that says at the very end which tests failed, where and why: in
 * a log of thousands of tests they are far from its last page, which is all that some keep of it.
 * JavaScript, because node loads reporters before anything that reads TypeScript.
 */
import { relative } from "node:path";
import { inspect } from "node:util";

/** Characters of the reason: the first ones say most, and an object may be of any size. */
const WHY = 2_000;

/** Of a file that was compiled, the source. */
const COMPILED = /^node_modules\/\.cache\/evently\/[^/]+\/(.*)\.js$/;

function headline({ name, file, details }) {
  const place =
    file === undefined ? "" : ` (${relative(process.cwd(), file).replace(COMPILED, "$1.ts")})`;
  return `FAILED TEST: ${name}${place}, after ${Math.round(details.duration_ms)} ms\n`;
}

function why({ details }) {
  return `${inspect(details.error.cause ?? details.error, { depth: 4 }).slice(0, WHY)}\n`;
}

/** Whether nothing but its subtests failed, which have lines of their own. */
function ofSubtests({ details }) {
  return details.error.failureType === "subtestsFailed";
}

/** Yields nothing before the last event has come, and nothing at all if no test failed. */
export default async function* failureList(source) {
  const failures = [];
  for await (const { type, data } of source) {
    if (type === "test:fail" && data.todo === undefined && !ofSubtests(data)) failures.push(data);
  }
  for (const failure of failures) yield headline(failure) + why(failure);
  if (failures.length > 0) yield `\n${failures.map(headline).join("")}`;
}
