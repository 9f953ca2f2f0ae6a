import { PLANTED_BUGS, type PlantedBug } from "./planted-bugs.ts";
import { DOMAIN_BUGS } from "./planted-domain-bugs.ts";

/** Those of the engine's threads and stores, and those of the domain. */
export const EVERY_BUG: readonly PlantedBug[] = [...PLANTED_BUGS, ...DOMAIN_BUGS];
