/** PostgreSQL dies, goes away, freezes: the short forms. */
import { postgresDown } from "./postgres-down.ts";
import { postgresFrozen } from "./postgres-frozen.ts";
import { postgresKilled } from "./postgres-killed.ts";
import { testShortForm } from "./scenario.ts";

testShortForm(postgresKilled);
testShortForm(postgresDown);
testShortForm(postgresFrozen);
