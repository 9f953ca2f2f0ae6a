/**
 * Plants every bug of planted-bugs.ts and planted-domain-bugs.ts in turn and prints, as a Markdown
 * table, how fast each was found: `npm run simulate:planted`, or with words of the names of some.
 */

import { EVERY_BUG } from "./every-bug.ts";
import { hunt } from "./plant.ts";

const SEEDS_MAX = 1_000;

const words = process.argv.slice(2);
const chosen = EVERY_BUG.filter(({ name }) => words.every((word) => name.includes(word)));
console.log("| planted | found by seed | after | as |\n|---|---|---|---|");
for (const bug of chosen) {
  const { seeds, seconds, found } = await hunt(bug, SEEDS_MAX);
  const seed = seeds === null ? `not in ${SEEDS_MAX}` : String(seeds);
  console.log(`| ${bug.name} | ${seed} | ${seconds.toFixed(1)} s | ${found.slice(0, 160)} |`);
  if (seeds === null) process.exitCode = 1;
}
