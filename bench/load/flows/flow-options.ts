import { unreachable } from "../../../engine/unreachable.ts";
import type { Flow } from "../flow.ts";
import { HoldFlow, type HoldFlowOptions } from "./hold-flow.ts";
import { ReadFlow, type ReadFlowOptions } from "./read-flow.ts";
import { SaleFlow } from "./sale-flow.ts";
import type { SaleFlowOptions } from "./sale-ground.ts";

/** What a load does, as plain data: it travels to the load's thread. */
export type FlowOptions = HoldFlowOptions | SaleFlowOptions | ReadFlowOptions;

export function flowOf(options: FlowOptions, url: string): Flow {
  switch (options.kind) {
    case "hold":
      return new HoldFlow(options, url);
    case "sale":
      return new SaleFlow(options, url);
    case "read":
      return new ReadFlow(options, url);
    default:
      return unreachable(options);
  }
}
