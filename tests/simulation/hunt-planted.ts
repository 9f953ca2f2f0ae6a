/**
 * Plants every bug of planted-bugs.ts and planted-domain-bugs.ts in turn and prints, as a Markdown
 * table, how fast each was found: `npm run simulate:planted`, or with words of the names of some.
 */

import { parseArgs } from "node:util";
import { commandLine, UsageError } from "../support/command-line.ts";
import { EVERY_BUG } from "./every-bug.ts";
import { hunt } from "./plant.ts";

const SEEDS_MAX = 1_000;

const USAGE = `
Plants bugs into copies of the sources, one at a time, and shows by which seed each is found
(docs/SIMULATION.md).

  npm run simulate:planted -- [words]
    words  plants those alone that have all of these in their names; default: every one

Exit codes: 0 all were found, 1 some were not, 2 usage.`;

const chosen = commandLine({ name: "simulate:planted", usage: USAGE }, (args) => {
  const { positionals: words } = parseArgs({ args, options: {}, allowPositionals: true });
  const named = EVERY_BUG.filter(({ name }) => words.every((word) => name.includes(word)));
  if (named.length === 0) throw new UsageError(`no bug has "${words.join(" ")}" in its name`);
  return named;
});
console.log("| planted | found by seed | after | as |\n|---|---|---|---|");
for (const bug of chosen) {
  const { seeds, seconds, found } = await hunt(bug, SEEDS_MAX);
  const seed = seeds === null ? `not in ${SEEDS_MAX}` : String(seeds);
  console.log(`| ${bug.name} | ${seed} | ${seconds.toFixed(1)} s | ${found.slice(0, 160)} |`);
  if (seeds === null) process.exitCode = 1;
}
