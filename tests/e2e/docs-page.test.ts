/** GET /docs in a real browser: it shows the document, and asks nobody else for anything. */
import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import { test } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { BoxOffice } from "../support/box-office.ts";

const office = BoxOffice.forThisFile();

/** For the page to draw what has come into view. */
const SCROLLED_MS = 50;

/** Where Debian has it; or as the environment says. */
const BROWSERS = [process.env.CHROMIUM ?? "", "/usr/bin/chromium", "/usr/bin/google-chrome"];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return path !== "";
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

/** null: there is none here. `.ci/run` installs one, and sets CHROMIUM. */
async function launch(): Promise<Browser | null> {
  const executablePath = BROWSERS.find(isExecutable);
  if (executablePath === undefined) return null;
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  return chromium.launch({ executablePath, headless: true, args });
}

test("the page and its files name no other host, and its policy lets none be asked", async () => {
  const { text, headers } = await office.api.get("/docs");
  const policy = String(headers["content-security-policy"]);
  assert.doesNotMatch(text, /(?:src|href)="(?!\/|data:)/);
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self';/);
  assert.doesNotMatch(policy, /https?:|\*|unsafe/);
  for (const [, file = ""] of text.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
    assert.equal((await office.api.get(file)).status, 200, file);
  }
});

test("who opens the node's address is led to the page", async () => {
  const { status, headers } = await office.api.get("/");
  assert.deepEqual([status, headers.location], [302, "/docs"]);
});

test("other files are not to be had", async () => {
  for (const file of ["package.json", "__proto__", "..%2f..%2fpackage.json", "index.html"]) {
    assert.equal((await office.api.get(`/docs/${file}`)).status, 404, file);
  }
});

test("a browser shows every operation, and asks nobody but this node", async () => {
  const browser = await launch();
  assert.ok(browser !== null || !process.env.CHROMIUM, "CHROMIUM is not a browser");
  if (browser === null) return;
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await reads(page);
  } finally {
    await browser.close();
  }
});

/** Half a screen; false: that was the end. */
async function scrollOn(page: Page): Promise<boolean> {
  const isMoved = await page.evaluate(`(() => {
    const before = window.scrollY;
    window.scrollBy(0, window.innerHeight / 2);
    return window.scrollY !== before;
  })()`);
  await page.waitForTimeout(SCROLLED_MS);
  return isMoved === true;
}

/** Ids of the operations that somebody sees who scrolls to the end: of so many, few are drawn. */
async function operationsSeen(page: Page): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let isEnd = false; !isEnd; ) {
    const blocks = await page.locator(".opblock").all();
    for (const block of blocks) seen.add((await block.getAttribute("id")) ?? "");
    isEnd = !(await scrollOn(page));
  }
  await page.evaluate("window.scrollTo(0, 0)");
  return seen;
}

async function reads(page: Page): Promise<void> {
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(`${office.node.url}/docs`);
  await page.waitForSelector("body[data-ready]");
  const foreign = asked.filter((url) => !url.startsWith(office.node.url) && !/^data:/.test(url));
  assert.deepEqual(foreign, []);
  const { body } = await office.api.get<{ paths: Record<string, object> }>("/openapi.json");
  const count = Object.values(body.paths).flatMap((item) => Object.keys(item)).length;
  assert.equal((await operationsSeen(page)).size, count);

  const hold = page.locator("#operations-Holds-holdPlaces");
  while ((await hold.count()) === 0) await scrollOn(page);
  await hold.locator(".opblock-summary-control").click();
  await hold.locator(".responses-table").first().waitFor();
  assert.match((await hold.textContent()) ?? "", /seat_unavailable[\s\S]*A seat is not free/);

  // What a page of somebody else's could inject does not run, nor leave.
  const inlined = await page.evaluate(`(() => {
    const script = document.createElement("script");
    script.textContent = "window.injected = true";
    document.body.append(script);
    return window.injected === true;
  })()`);
  assert.equal(inlined, false);
  assert.equal(complaints.filter((text) => !text.includes("inline script")).length, 0);
  const sent = await page.evaluate(
    `fetch("http://127.0.0.1:9/").then(() => "sent", (error) => String(error))`,
  );
  assert.match(String(sent), /Failed to fetch/);
  assert.ok(complaints.some((text) => /violates|Content Security Policy/.test(text)));
}
