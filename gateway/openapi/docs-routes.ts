import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Entity, entityResponse, etagOf } from "../http/etag.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute } from "../http/routes.ts";
import { PAGE, PAGE_POLICY, PAGE_SCRIPT, PAGE_STYLE } from "./docs-page.ts";

/** It changes with the node: whoever has it asks whether that is still so. */
const CACHED = "public, no-cache";

interface File extends Entity {
  readonly contentType: string;
}

/** The files of the page that come from a package. */
const PACKAGED: Readonly<Record<string, readonly [url: string, contentType: string]>> = {
  "swagger-ui.css": [
    import.meta.resolve("swagger-ui-dist/swagger-ui.css"),
    "text/css; charset=utf-8",
  ],
  "swagger-ui-bundle.js": [
    import.meta.resolve("swagger-ui-dist/swagger-ui-bundle.js"),
    "text/javascript; charset=utf-8",
  ],
};

/** `document`: the OpenAPI document as it is sent. */
export function docsRoutes(document: () => string): Route[] {
  const page = new DocsPage(document);
  const get = (path: string, handle: (request: HttpRequest) => Promise<HttpResponse>): Route => {
    return { method: "GET", path, handler: asyncRoute(handle) };
  };
  return [
    // Who opens the address that a node says it is at, in a browser.
    get("/", async () => ({ status: 302, headers: { Location: "/docs" }, body: null })),
    get("/openapi.json", (request) => page.file(request, "openapi.json")),
    get("/docs", (request) => page.file(request, "")),
    get("/docs/:file", (request) => page.file(request, request.params[0] ?? "")),
  ];
}

/** Invariant: a file is read once at most, and kept; there are six. */
class DocsPage {
  readonly #files = new Map<string, Promise<File>>();
  readonly #document: () => string;

  constructor(document: () => string) {
    this.#document = document;
  }

  async file(request: HttpRequest, name: string): Promise<HttpResponse> {
    const file = await (this.#files.get(name) ?? this.#keep(name));
    const response = entityResponse(request, file);
    return {
      ...response,
      contentType: file.contentType,
      headers: {
        ...response.headers,
        "Content-Security-Policy": PAGE_POLICY,
      },
    };
  }

  #keep(name: string): Promise<File> {
    const reading = this.#read(name);
    this.#files.set(name, reading);
    // What could not be read is not kept: names that strangers think of, and a disk that failed.
    reading.catch(() => this.#files.delete(name));
    return reading;
  }

  async #read(name: string): Promise<File> {
    switch (name) {
      case "openapi.json":
        return fileOf(this.#document(), "application/json; charset=utf-8");
      case "":
        return fileOf(PAGE, "text/html; charset=utf-8");
      case "page.js":
        return fileOf(PAGE_SCRIPT, "text/javascript; charset=utf-8");
      case "page.css":
        return fileOf(PAGE_STYLE, "text/css; charset=utf-8");
      default: {
        const packaged = Object.hasOwn(PACKAGED, name) ? PACKAGED[name] : undefined;
        if (packaged === undefined) throw new ProblemError("not_found");
        const [url, contentType] = packaged;
        return fileOf(await readFile(fileURLToPath(url)), contentType);
      }
    }
  }
}

function fileOf(body: string | Buffer, contentType: string): File {
  return { body, etag: etagOf(body), cacheControl: CACHED, contentType };
}
