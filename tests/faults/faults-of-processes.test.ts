/** Nodes stand still, and meet others: the short forms. */
import { nodeFrozen } from "./node-frozen.ts";
import { testShortForm } from "./scenario.ts";
import { twoProcesses } from "./two-processes.ts";

testShortForm(nodeFrozen);
testShortForm(twoProcesses);
