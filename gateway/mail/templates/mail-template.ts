/**
 * A mail's words, and how they become a mail. Whoever writes mails (transactional ones, campaigns)
 * uses these two functions: `checkTemplate` before a template is kept, `renderMail` to send it.
 */
import { compile } from "html-to-text";
import {
  MAIL_HTML_DEEP_MAX,
  MAIL_SUBJECT_CHARS_MAX,
  TEMPLATE_BLOCK_CHARS_MAX,
  TEMPLATE_BLOCKS_MAX,
  TEMPLATE_ERRORS_MAX,
  TEMPLATE_SUBJECT_CHARS_MAX,
} from "../../../engine/notifier-limits.ts";
import type { FieldError } from "../../http/validation.ts";
import { type DressOptions, dressed, faultsOfSource } from "./mail-html.ts";
import { framed, framedText, type MailFrame } from "./mail-layout.ts";
import {
  Filler,
  type MailValue,
  type MailVariables,
  type ParsedText,
  parseText,
  pathsIn,
  TemplateFault,
  type TextForm,
} from "./template-engine.ts";

export interface MailTemplate {
  /** Liquid, one line of plain text. */
  readonly subject: string;
  /** Liquid in limited HTML, by name, in the order in which they are shown. */
  readonly blocks: Readonly<Record<string, string>>;
}

export interface RenderedMail {
  readonly subject: string;
  /** A whole document. */
  readonly html: string;
  readonly text: string;
}

export interface RenderOptions extends DressOptions {
  /** Default: nothing around the blocks but the page. */
  readonly frame?: MailFrame;
}

interface ParsedTemplate {
  readonly subject: ParsedText;
  readonly blocks: readonly (readonly [name: string, parsed: ParsedText])[];
}

const BARE: MailFrame = { sender: "", footnotes: [], pixel: null };
const BLOCK_NAME = /^[a-z][a-zA-Z0-9_]{0,39}$/;

const readable = compile({
  wordwrap: 78,
  limits: { maxDepth: 2 * MAIL_HTML_DEEP_MAX, ellipsis: "…" },
  selectors: [
    { selector: "img", format: "skip" },
    { selector: "a", options: { hideLinkHrefIfSameAsText: true, linkBrackets: ["<", ">"] } },
    { selector: "hr", options: { length: 40 } },
    { selector: "table", format: "dataTable", options: { uppercaseHeaderCells: false } },
    ...["h1", "h2", "h3"].map((selector) => ({ selector, options: { uppercase: false } })),
  ],
});

/** Templates that are used again and again are parsed once, as long as somebody keeps them. */
const parsedOf = new WeakMap<MailTemplate, ParsedTemplate>();

/**
 * The mail that a template makes of some variables. All values are escaped, and of the HTML only
 * what is allowed is left. About 0.5 ms.
 *
 * @throws TemplateFault it can't be filled in with these variables, or makes too much
 */
export function renderMail(
  template: MailTemplate,
  variables: MailVariables,
  { frame = BARE, ...dress }: RenderOptions = {},
): RenderedMail {
  const parsed = parsedOf.get(template) ?? parse(template);
  parsedOf.set(template, parsed);
  const filler = new Filler(variables);
  const subject = subjectOf(filler.fill(parsed.subject, "line"));
  const body = parsed.blocks
    .map(([, block]) => dressed(filler.fill(block, "html"), dress).html.trim())
    .filter((html) => html !== "")
    .join("\n");
  const text = readable(body).replace(/\n{3,}/g, "\n\n");
  return { subject, html: framed(body, subject, frame), text: framedText(text, frame) };
}

/**
 * What is wrong with a template, each with its place: `blocks.intro` and "line 3: …". Empty: it may
 * be kept. `sample` has every variable that there may be, arrays with at least one item; with it
 * the template is tried.
 */
export function checkTemplate(template: MailTemplate, sample: MailVariables): FieldError[] {
  const errors = [...sizesOf(template)];
  if (errors.length > 0) return errors;
  const filler = new Filler(sample);
  const texts: [path: string, text: string, form: TextForm][] = [
    ["subject", template.subject, "line"],
    ...Object.entries(template.blocks).map(([name, text]): [string, string, TextForm] => [
      `blocks.${name}`,
      text,
      "html",
    ]),
  ];
  for (const [path, text, form] of texts) {
    if (errors.length >= TEMPLATE_ERRORS_MAX) break;
    errors.push(...faultsOf(text, form, sample, filler).map((fault) => shown(path, fault)));
  }
  return errors.slice(0, TEMPLATE_ERRORS_MAX);
}

interface Fault {
  readonly message: string;
  readonly line: number;
}

const shown = (path: string, { message, line }: Fault): FieldError => ({
  path,
  message: `line ${line}: ${message}`,
});

function faultsOf(text: string, form: TextForm, sample: MailVariables, filler: Filler): Fault[] {
  try {
    const parsed = parseText(text, form);
    const faults: Fault[] = form === "html" ? [...faultsOfSource(text)] : [];
    for (const { path, shown, line } of pathsIn(text, parsed, form)) {
      if (!isIn(sample, path)) faults.push({ message: `there is no variable ${shown}`, line });
    }
    if (faults.length > 0) return faults;
    const filled = filler.fill(parsed, form);
    return form === "html" ? [...dressed(filled).faults] : [];
  } catch (error) {
    if (error instanceof TemplateFault) return [error];
    throw error;
  }
}

function* sizesOf({ subject, blocks }: MailTemplate): Generator<FieldError> {
  const long = (path: string, text: string, most: number): FieldError[] =>
    text.length > most ? [{ path, message: `must have at most ${most} characters` }] : [];
  yield* long("subject", subject, TEMPLATE_SUBJECT_CHARS_MAX);
  if (subject.trim() === "") yield { path: "subject", message: "must not be empty" };
  const names = Object.keys(blocks);
  if (names.length > TEMPLATE_BLOCKS_MAX) {
    yield { path: "blocks", message: `must be at most ${TEMPLATE_BLOCKS_MAX}` };
    return;
  }
  for (const name of names) {
    const path = `blocks.${name.slice(0, 40)}`;
    if (!BLOCK_NAME.test(name)) yield { path, message: "must have a name of letters and digits" };
    yield* long(path, blocks[name] ?? "", TEMPLATE_BLOCK_CHARS_MAX);
  }
}

function isIn(sample: MailVariables, path: readonly (string | number | null)[]): boolean {
  let at: MailValue | undefined = sample;
  for (const name of path) {
    // Of what is null in the sample nobody knows what else it may be.
    if (name === null || at === null) return true;
    if (Array.isArray(at)) {
      if (typeof name === "number" || name === "first" || name === "last") at = at[0];
      else return name === "size";
    } else if (typeof at === "string") return name === "size";
    else if (typeof at !== "object") return false;
    else {
      const members: Readonly<Record<string, MailValue>> = Object(at);
      if (!Object.hasOwn(members, String(name))) return false;
      at = members[String(name)];
    }
  }
  return true;
}

function parse({ subject, blocks }: MailTemplate): ParsedTemplate {
  return {
    subject: parseText(subject, "line"),
    blocks: Object.entries(blocks).map(([name, text]) => [name, parseText(text, "html")]),
  };
}

function subjectOf(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  const characters = Array.from(line);
  if (characters.length <= MAIL_SUBJECT_CHARS_MAX) return line;
  return `${characters.slice(0, MAIL_SUBJECT_CHARS_MAX - 1).join("")}…`;
}
