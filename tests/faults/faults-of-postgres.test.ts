/** PostgreSQL dies, goes away, freezes: the short forms. */
import { postgresKilled } from "./postgres-killed.ts";
import { testShortForm } from "./scenario.ts";

testShortForm(postgresKilled);
