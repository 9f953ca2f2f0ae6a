/** What is around the blocks of every mail: one column that fits a telephone, light and dark. */
import { BREAKS } from "./mail-html.ts";

export interface MailFrame {
  /** Who it is from, at its head. */
  readonly sender: string;
  /** Small lines below it: why it came, and how to get none any more. */
  readonly footnotes: readonly Footnote[];
  /** An image that says that it was opened; null: none. */
  readonly pixel: string | null;
}

export interface Footnote {
  readonly text: string;
  /** Absent: the text is no link. */
  readonly href?: string;
}

const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const SENDER = `font-size:14px;line-height:20px;font-weight:700;color:#667085;${BREAKS}`;
const FOOT = `font-size:12px;line-height:18px;color:#667085;${BREAKS}`;
const LINK = 'style="color:#667085;text-decoration:underline"';
/** Mail programs that know a dark mode and style sheets; the others turn colours by themselves. */
const DARK = `
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (max-width:480px){.m-card{padding:24px 20px!important;border-radius:0!important}
.m-page{padding:0!important}.m-foot{padding:20px!important}}
@media (prefers-color-scheme:dark){
.m-page{background-color:#12141a!important}.m-card{background-color:#1c1f27!important}
.m-p,.m-h1,.m-h2,.m-h3,.m-ul,.m-ol,.m-td,.m-div{color:#f2f4f7!important}
.m-th,.m-small,.m-quiet,.m-blockquote,.m-foot,.m-foot a{color:#98a2b3!important}
.m-a{color:#a4b3ff!important}.m-button{background-color:#5468e7!important;color:#ffffff!important}
.m-panel{background-color:#242833!important;border-color:#343a48!important}
.m-hr,.m-total{border-color:#343a48!important}}`;

/** A whole HTML document. `body` is HTML that has been dressed; the rest is escaped here. */
export function framed(body: string, subject: string, frame: MailFrame): string {
  const foot = frame.footnotes.map(footnote).join("");
  const pixel =
    frame.pixel === null
      ? ""
      : `<img src="${escaped(frame.pixel)}" width="1" height="1" alt="" style="display:block">`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escaped(subject)}</title><style>${DARK}</style></head>
<body class="m-page" style="margin:0;padding:0;background-color:#f2f4f7">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>
<td class="m-page" align="center" style="padding:24px 12px;background-color:#f2f4f7">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"
style="max-width:600px">
<tr><td class="m-card" style="padding:32px 40px;border-radius:16px;background-color:#ffffff">
<div class="m-quiet" style="margin:0 0 24px;${FONT};${SENDER}">${escaped(frame.sender)}</div>
${body}
</td></tr>
<tr><td class="m-foot" style="padding:20px 40px;${FONT};${FOOT}">${foot}${pixel}</td></tr>
</table></td></tr></table></body></html>
`;
}

function footnote({ text, href }: Footnote): string {
  const label = escaped(text);
  const shown = href === undefined ? label : `<a href="${escaped(href)}" ${LINK}>${label}</a>`;
  return `<div style="margin:0 0 4px">${shown}</div>`;
}

/** The same for readers of plain text. */
export function framedText(body: string, { footnotes }: MailFrame): string {
  if (footnotes.length === 0) return `${body}\n`;
  const lines = footnotes.map(({ text, href }) => (href === undefined ? text : `${text}: ${href}`));
  return `${body}\n\n-- \n${lines.join("\n")}\n`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};
const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => ESCAPES[sign] ?? "");
