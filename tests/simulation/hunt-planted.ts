/**
 * Plants every bug of planted-bugs.ts in turn and prints, as a Markdown table, how fast each was
 * found: `npm run simulate:planted`, or with words of the names of some.
 */
import { hunt } from "./plant.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";

const SEEDS_MAX = 2_000;

const words = process.argv.slice(2);
const chosen = PLANTED_BUGS.filter(({ name }) => words.every((word) => name.includes(word)));
console.log("| planted | found by seed | after | as |\n|---|---|---|---|");
for (const bug of chosen) {
  const { seeds, seconds, found } = await hunt(bug, SEEDS_MAX);
  const seed = seeds === null ? `not in ${SEEDS_MAX}` : String(seeds);
  console.log(`| ${bug.name} | ${seed} | ${seconds.toFixed(1)} s | ${found.slice(0, 160)} |`);
  if (seeds === null) process.exitCode = 1;
}
