/**
 * The page that shows the document: Swagger UI from its package, two small files of our own, and
 * nothing from anywhere else. Its policy lets no other script run.
 */

/** Nothing in line, neither scripts nor styles: a test with a browser shows that it will do. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evently API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<noscript>This page needs JavaScript; <a href="/openapi.json">the document</a> does not.</noscript>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/page.js"></script>
</body>
</html>
`;

/** No validator: it would be asked at another host. */
export const PAGE_SCRIPT = `"use strict";
window.ui = window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelRendering: "example",
  displayOperationId: true,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: false,
  onComplete: () => document.body.setAttribute("data-ready", "true"),
});
`;

export const PAGE_STYLE = `body { margin: 0; background: #fafafa; }
.swagger-ui .topbar { display: none; }
.swagger-ui .info { margin: 30px 0; }
.swagger-ui .wrapper { max-width: 1200px; }
.swagger-ui .opblock .opblock-summary-operation-id { font-size: 12px; }
`;
