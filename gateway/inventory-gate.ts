import type { InventoryDefinition } from "../engine/definition.ts";
import type { UserId } from "../engine/ids.ts";
import type { InventoryPort } from "./catalogue/events.ts";
import { ProblemError } from "./http/problem.ts";
import type { ShardRouter } from "./shard-router.ts";

/** The catalogue's way to the actors: a change of what is sold is a command like any other. */
export class InventoryGate implements InventoryPort {
  readonly #router: ShardRouter;

  constructor(router: ShardRouter) {
    this.#router = router;
  }

  async configure(definition: InventoryDefinition, by: UserId): Promise<void> {
    const { eventId } = definition;
    const command = { kind: "configure", definition, by } as const;
    const { answer, lsn } = await this.#router.ask(eventId, command);
    if (answer.kind === "refused") {
      throw new ProblemError(
        answer.refusal.code === "inventory_fixed" ? "inventory_fixed" : "busy",
      );
    }
    if (answer.kind !== "done") {
      throw new ProblemError(answer.kind === "timeout" ? "timeout" : "internal");
    }
    const isStored = await this.#router.whenProjected(this.#router.shardOf(eventId), lsn);
    if (!isStored) throw new ProblemError("timeout");
  }
}
