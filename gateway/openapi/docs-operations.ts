import Type from "typebox";
import type { AnswerBody, Operations } from "./operation.ts";

const tag = "Documentation";
const unchanged: AnswerBody = {
  description: "As `If-None-Match` has it.",
  headers: ["ETag", "Cache-Control"],
};

export const docsOperations: Operations = {
  "GET /": {
    id: "openNode",
    tag,
    summary: "Leads to the page that shows this document",
    description: "For who opens the node's address in a browser.",
    access: "public",
    answers: { 302: { description: "To `/docs`.", headers: ["Location"] } },
  },
  "GET /openapi.json": {
    id: "getOpenApiDocument",
    tag,
    summary: "This document",
    description: "OpenAPI 3.1, made of the schemas that validate.",
    access: "public",
    answers: {
      200: {
        description: "The document.",
        schema: Type.Object(
          { openapi: Type.String(), info: Type.Unknown(), paths: Type.Unknown() },
          { additionalProperties: true },
        ),
        example: { openapi: "3.1.0", info: { title: "Evently", version: "1" }, paths: {} },
        headers: ["ETag", "Cache-Control"],
      },
      304: unchanged,
    },
  },
  "GET /docs": {
    id: "getDocsPage",
    tag,
    summary: "A page to read it",
    description: "For people. It loads nothing from elsewhere.",
    access: "public",
    answers: {
      200: {
        description: "The page.",
        schema: Type.String(),
        example: "<!doctype html>",
        contentTypes: ["text/html"],
        headers: ["ETag", "Cache-Control", "Content-Security-Policy"],
      },
      304: unchanged,
    },
  },
  "GET /docs/:file": {
    id: "getDocsFile",
    tag,
    summary: "A part of that page",
    description: "Its script and its style.",
    access: "public",
    answers: {
      200: {
        description: "The file.",
        schema: Type.String(),
        example: "/* … */",
        contentTypes: ["text/javascript", "text/css"],
        headers: ["ETag", "Cache-Control"],
      },
      304: unchanged,
    },
  },
};
