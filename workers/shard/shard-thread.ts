/** Entry of a shard worker thread. */
import { PgActorLoader } from "../store/pg-actor-loader.ts";
import { currentThread, threadData } from "../thread-context.ts";
import { ShardService } from "./shard-service.ts";
import type { ShardThreadData } from "./shard-thread-messages.ts";

const data = threadData<ShardThreadData & { readonly databaseUrl: string }>();
new ShardService(data, new PgActorLoader(data.databaseUrl), currentThread());
