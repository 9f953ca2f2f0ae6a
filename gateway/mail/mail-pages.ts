/**
 * The pages that links in mails lead to: plain HTML forms, without scripts, cookies and anything
 * from elsewhere. Nothing in them comes from whoever asks, but for the link itself.
 */
import { createHash } from "node:crypto";
import type { HttpResponse } from "../http/exchange.ts";
import type { MailWishes } from "./mail-preferences.ts";
import { OPTIONAL_KINDS, type OptionalKind } from "./optional-kinds.ts";

const STYLE = `
:root { color-scheme: light dark; --line: #8888; --strong: #1f5fbf; --on: #fff; }
@media (prefers-color-scheme: dark) { :root { --strong: #8ab4f8; --on: #10151c; } }
body { font: 1.0625rem/1.5 system-ui, sans-serif; margin: 0; padding: 2rem 1rem; }
main { max-width: 34rem; margin: 0 auto; border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.5rem 1.75rem 2rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
fieldset { border: 0; margin: 0; padding: 0; }
legend { padding: 0; margin-bottom: .75rem; }
label { display: flex; gap: .75rem; align-items: flex-start; padding: .75rem 0;
  border-top: 1px solid var(--line); }
input { width: 1.25rem; height: 1.25rem; margin: .125rem 0 0; flex: none; }
small { display: block; opacity: .8; }
button { font: inherit; padding: .625rem 1.25rem; margin-top: 1rem; border: 0;
  border-radius: .5rem; background: var(--strong); color: var(--on); cursor: pointer; }
button:focus-visible, a:focus-visible, input:focus-visible { outline: 3px solid currentColor;
  outline-offset: 2px; }
.done { border-left: .25rem solid var(--strong); padding-left: .75rem; }
a { color: var(--strong); }
`;

/** The one style by its hash, and forms that go nowhere else. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "img-src data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const NAMES: Readonly<Record<OptionalKind, readonly [name: string, what: string]>> = {
  reminder: ["Reminders", "Shortly before an event that you have tickets for."],
  campaign: ["News and offers", "What organisers write about their events."],
};

/** A page in the frame of them all. `title` is text, `body` HTML; nothing is escaped here. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
}

/** How a page is answered. */
export const pageAnswer = (body: string): HttpResponse => ({
  status: 200,
  contentType: "text/html; charset=utf-8",
  headers: { "Cache-Control": "no-store", "Content-Security-Policy": POLICY },
  body,
});

const ALL_MAILS = "Mails about your bookings, such as tickets and changes, are sent in any case.";

interface Unsubscribing {
  readonly kind: OptionalKind;
  /** Of one organiser alone. */
  readonly isOfOne: boolean;
  /** The page with all kinds. */
  readonly preferences: string;
}

const whatOf = ({ kind, isOfOne }: Unsubscribing): string => {
  if (kind === "reminder") return "reminders of your events";
  return isOfOne ? "news and offers of this organiser" : "news and offers";
};

/** Asks: programs that look at links before people do must change nothing. */
export function askPage(asked: Unsubscribing): string {
  return page(
    "Unsubscribe",
    `<p>Do you want no more ${whatOf(asked)} at this address?</p>
<form method="post"><button>Unsubscribe</button></form>
<p><a href="${asked.preferences}">Choose which mails you get</a></p>
<p><small>${ALL_MAILS}</small></p>`,
  );
}

export function unsubscribedPage(asked: Unsubscribing): string {
  return page(
    "You are unsubscribed",
    `<p class="done" role="status">You will get no more ${whatOf(asked)} at this address.</p>
<p><a href="${asked.preferences}">Choose which mails you get</a></p>
<p><small>${ALL_MAILS}</small></p>`,
  );
}

export function preferencesPage(wishes: MailWishes, isSaved: boolean): string {
  const boxes = OPTIONAL_KINDS.map((kind) => {
    const [name, what] = NAMES[kind];
    return box(kind, wishes.wanted[kind], `${name}<small>${what}</small>`);
  });
  const count = wishes.refusedOrganizations.length;
  const organisers = count === 1 ? "one organiser" : `${count} organisers`;
  const named = `Not from ${organisers}<small>Whose mails you have unsubscribed from.</small>`;
  return page(
    "Your mails",
    `${isSaved ? '<p class="done" role="status">Saved.</p>' : ""}
<form method="post">
<fieldset>
<legend>At the address that this link was sent to you get:</legend>
${[...boxes, ...(count === 0 ? [] : [box("refused", true, named)])].join("\n")}
</fieldset>
<button>Save</button>
</form>
<p><small>${ALL_MAILS}</small></p>`,
  );
}

function box(name: string, isChecked: boolean, text: string): string {
  const checked = isChecked ? " checked" : "";
  return `<label><input type="checkbox" name="${name}"${checked}><span>${text}</span></label>`;
}

export function strangeLinkPage(): string {
  return page(
    "This link does not work",
    `<p>It is not complete, or it was made by another installation. Please copy all of it from the
mail.</p>`,
  );
}
