/** The journal's disk fails, fills up, and forgets: the short forms. */
import { bitFlipped } from "./bit-flipped.ts";
import { diskFailing } from "./disk-failing.ts";
import { diskFull } from "./disk-full.ts";
import { testShortForm } from "./scenario.ts";

testShortForm(diskFailing);
testShortForm(diskFull);
testShortForm(bitFlipped);
