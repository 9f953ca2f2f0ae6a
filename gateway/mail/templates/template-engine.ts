/**
 * The language of mail templates: Liquid without what reads files, makes much of little, or gets
 * past the escaping.
 *
 *     Dear {{ buyer.firstName }}, {% if tickets.size > 1 %}your tickets{% endif %} …
 *     {% for ticket in tickets %}<li>{{ ticket.place }}</li>{% endfor %}
 */
import { Context, Liquid, LiquidError, type Template } from "liquidjs";
import {
  MAIL_BLOCK_CHARS_MAX,
  TEMPLATE_BLOCK_CHARS_MAX,
  TEMPLATE_LOOPS_DEEP_MAX,
  TEMPLATE_MEMORY_MAX,
  TEMPLATE_RENDER_MS_MAX,
} from "../../../engine/notifier-limits.ts";

/** What templates are filled in with: plain data, of which they see own members alone. */
export type MailValue =
  | string
  | number
  | boolean
  | null
  | readonly MailValue[]
  | { readonly [name: string]: MailValue };
export type MailVariables = Readonly<Record<string, MailValue>>;

/** What is wrong at a place of a template, for its author. */
export class TemplateFault extends Error {
  readonly code = "template_fault";
  /** From 1. */
  readonly line: number;

  constructor(message: string, line: number, options?: ErrorOptions) {
    super(message, options);
    this.line = line;
  }
}

export type ParsedText = readonly Template[];

/** For HTML, and for a line of plain text. */
export type TextForm = "html" | "line";

const TAGS: ReadonlySet<string> = new Set([
  ...([
    "if",
    "unless",
    "case",
    "for",
    "break",
    "continue",
    "assign",
    "comment",
    "raw",
    "#",
  ] as const),
]);
/** None that makes arrays of texts, and none that marks something as escaped. */
const FILTERS: ReadonlySet<string> = new Set([
  ...([
    "append",
    "prepend",
    "capitalize",
    "upcase",
    "downcase",
    "strip",
    "default",
    "size",
  ] as const),
  ...(["first", "last", "join", "truncate", "truncatewords", "replace", "remove"] as const),
  ...(["plus", "minus", "times", "divided_by", "modulo", "round", "url_encode"] as const),
]);
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? "");
const CONTROLS = /[\p{Cc}\u2028\u2029]+/gu;
const textOf = (value: unknown): string => {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return value.map(textOf).join("");
  return "";
};

const ENGINES: Readonly<Record<TextForm, Liquid>> = {
  html: sandbox((value) => escapeHtml(textOf(value))),
  line: sandbox((value) => textOf(value).replace(CONTROLS, " ")),
};

function sandbox(outputEscape: (value: unknown) => string): Liquid {
  const liquid = new Liquid({
    outputEscape,
    ownPropertyOnly: true,
    strictFilters: true,
    strictVariables: true,
    // `{% if x %}` is how one asks whether there is an x.
    lenientIf: true,
    // In place of the file system; nothing asks for it, since no tag that includes is left.
    templates: {},
    parseLimit: TEMPLATE_BLOCK_CHARS_MAX,
    memoryLimit: TEMPLATE_MEMORY_MAX,
    renderLimit: TEMPLATE_RENDER_MS_MAX,
  });
  for (const name of Object.keys(liquid.tags)) if (!TAGS.has(name)) delete liquid.tags[name];
  for (const name of Object.keys(liquid.filters)) {
    if (!FILTERS.has(name)) liquid.unregisterFilter(name);
  }
  return liquid;
}

/** @throws TemplateFault */
export function parseText(text: string, form: TextForm): ParsedText {
  const deep = loopTooDeep(text);
  if (deep !== null) throw deep;
  return minding(() => ENGINES[form].parse(text));
}

/** Fills in the texts of one mail, which share one allowance. */
export class Filler {
  readonly #variables: MailVariables;
  #first: Context | null = null;

  constructor(variables: MailVariables) {
    this.#variables = variables;
  }

  /** @throws TemplateFault */
  fill(parsed: ParsedText, form: TextForm): string {
    const engine = ENGINES[form];
    const { memoryLimit, renderLimit } = this.#first ?? {};
    const shared =
      memoryLimit === undefined || renderLimit === undefined ? {} : { memoryLimit, renderLimit };
    const context = new Context(
      { ...this.#variables },
      engine.options,
      { sync: true },
      { ...shared, liquid: engine },
    );
    this.#first ??= context;
    const filled: unknown = minding(() => engine.renderSync([...parsed], context));
    const text = String(filled);
    // Before anything looks at it: a text that was put together is flat only from then on.
    if (text.length > MAIL_BLOCK_CHARS_MAX) {
      throw new TemplateFault(`makes more than ${MAIL_BLOCK_CHARS_MAX} characters`, 1);
    }
    return text;
  }
}

/** The paths (`["event", "title"]`) that a text asks for and that it does not make itself. */
export function pathsIn(text: string, parsed: ParsedText, form: TextForm): AskedPath[] {
  const { variables, locals } = minding(() =>
    ENGINES[form].analyzeSync([...parsed], { partials: false }),
  );
  const loops = loopsIn(text);
  const asked: AskedPath[] = [];
  for (const [root, uses] of Object.entries(variables)) {
    if (root === "forloop" || Object.hasOwn(locals, root)) continue;
    for (const { segments, location } of uses) {
      const names = segments.map((segment) => (typeof segment === "object" ? null : segment));
      asked.push({ path: unfolded(names, loops), shown: names.join("."), line: location.row });
    }
  }
  return asked;
}

export interface AskedPath {
  /** null: known only when it is filled in. */
  readonly path: readonly (string | number | null)[];
  /** As its author wrote it. */
  readonly shown: string;
  readonly line: number;
}

const FOR = /\{%-?\s*(?:(for)\s+([\w-]+)\s+in\s+([\w.-]+)|(endfor)\b)/g;

/** What each loop's own name stands for. */
function loopsIn(text: string): Map<string, readonly string[]> {
  const loops = new Map<string, readonly string[]>();
  for (const [, , name, path] of text.matchAll(FOR)) {
    if (name !== undefined && path !== undefined) loops.set(name, path.split("."));
  }
  return loops;
}

function unfolded(
  names: readonly (string | number | null)[],
  loops: ReadonlyMap<string, readonly string[]>,
): readonly (string | number | null)[] {
  let path = names;
  for (let n = 0; n < TEMPLATE_LOOPS_DEEP_MAX; n += 1) {
    const [root, ...rest] = path;
    const over = typeof root === "string" ? loops.get(root) : undefined;
    if (over === undefined) break;
    path = [...over, 0, ...rest];
  }
  return path;
}

function loopTooDeep(text: string): TemplateFault | null {
  let deep = 0;
  for (const { 1: begins, index } of text.matchAll(/\{%-?\s*(?:(for)\b|endfor\b)/g)) {
    deep += begins === undefined ? -1 : 1;
    if (deep <= TEMPLATE_LOOPS_DEEP_MAX) continue;
    const message = `has loops more than ${TEMPLATE_LOOPS_DEEP_MAX} deep`;
    return new TemplateFault(message, lineOf(text, index));
  }
  return null;
}

export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** Whatever goes wrong in a template is its author's to hear of. */
function minding<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof TemplateFault) throw error;
    const cause = { cause: error };
    if (LiquidError.is(error)) {
      const [line = 1] = error.token.getPosition();
      const said = (error.originalError?.message ?? error.message).split(/[\r\n]/)[0] ?? "";
      throw new TemplateFault(said.replace(/, (?:line|file):.*$/, ""), line, cause);
    }
    const message = error instanceof Error ? error.message : String(error);
    throw new TemplateFault(message, 1, cause);
  }
}
