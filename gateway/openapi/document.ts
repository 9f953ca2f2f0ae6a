/**
 * The OpenAPI document of a node, made of its routes, their operations, and the schemas that
 * validate. Nothing of a request is described twice.
 */
import type { Route } from "../http/exchange.ts";
import type { JsonObject } from "./json.ts";
import type { Operations } from "./operation.ts";
import { OperationWriter } from "./operation-writer.ts";
import { templateOf } from "./path-parameters.ts";
import type { SchemaBook } from "./schema-book.ts";
import {
  HEADERS,
  IDEMPOTENCY_KEY,
  IF_NONE_MATCH,
  INTRODUCTION,
  REQUEST_ID,
  SECURITY_SCHEMES,
  TAGS,
} from "./shared-parts.ts";

type RouteName = Pick<Route, "method" | "path">;

export interface DocumentOptions {
  readonly routes: readonly RouteName[];
  readonly operations: Operations;
  readonly version: string;
  /** What is said over the WebSocket. */
  readonly websocket: (book: SchemaBook) => LiveSection;
}

type LiveMessages = Readonly<Record<string, JsonObject & { readonly description: string }>>;

/** The document's `x-websocket`. */
export interface LiveSection extends JsonObject {
  readonly path: string;
  readonly description: string;
  readonly clientMessages: LiveMessages;
  readonly serverMessages: LiveMessages;
}

export interface Described {
  readonly document: JsonObject;
  /** Routes without an operation, as "METHOD /path": they are not in the document. */
  readonly undescribed: readonly string[];
}

export function documentOf({ routes, operations, version, websocket }: DocumentOptions): Described {
  const writer = new OperationWriter();
  const paths: Record<string, Record<string, JsonObject>> = {};
  const undescribed: string[] = [];
  for (const { method, path } of routes) {
    const key = `${method} ${path}`;
    const operation = operations[key];
    if (operation === undefined) {
      undescribed.push(key);
      continue;
    }
    const item = paths[templateOf(path)] ?? {};
    item[method.toLowerCase()] = writer.write(key, operation);
    paths[templateOf(path)] = item;
  }
  const live = websocket(writer.book);
  const document: JsonObject = {
    openapi: "3.1.0",
    info: {
      title: "Evently",
      version,
      summary: "Event booking",
      description: `${INTRODUCTION}\n\n${liveTable(live)}`,
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
      contact: { name: "Whoever runs this node" },
    },
    servers: [{ url: "/", description: "This node" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      parameters: {
        IdempotencyKey: IDEMPOTENCY_KEY,
        IfNoneMatch: IF_NONE_MATCH,
        RequestId: REQUEST_ID,
      },
      headers: HEADERS,
      ...writer.components,
    },
    "x-websocket": live,
  };
  return { document, undescribed };
}

/** The WebSocket's messages for readers: `x-websocket` is for machines. */
function liveTable({ description, clientMessages, serverMessages }: LiveSection): string {
  const rows = (messages: LiveMessages): string[] =>
    Object.entries(messages).map(([op, message]) => `| \`${op}\` | ${message.description} |`);
  return [
    "## Live: the WebSocket at `/ws`",
    description,
    ["| you say | |", "|---|---|", ...rows(clientMessages)].join("\n"),
    ["| you hear | |", "|---|---|", ...rows(serverMessages)].join("\n"),
  ].join("\n\n");
}
