/** Entry of the projector thread. */
import { currentThread, threadData } from "../thread-context.ts";
import { PgProjectionStore } from "./pg-projection-store.ts";
import type { ProjectorThreadData } from "./projector-messages.ts";
import { ProjectorService } from "./projector-service.ts";

const data = threadData<ProjectorThreadData & { readonly databaseUrl: string }>();
new ProjectorService(data, new PgProjectionStore(data.databaseUrl), currentThread());
