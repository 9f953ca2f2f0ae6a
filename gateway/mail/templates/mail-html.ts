/**
 * The HTML that blocks of mails may have: an allowlist. What is not on it is refused while a
 * template is edited, and left out of what is sent, whatever a template puts together. What is on
 * it is dressed, since mail programs know little but inline styles.
 */
import render from "dom-serializer";
import { type ChildNode, Element, Text } from "domhandler";
import { parseDocument } from "htmlparser2";
import { MAIL_HTML_DEEP_MAX } from "../../../engine/notifier-limits.ts";
import { lineOf } from "./template-engine.ts";

const INK = "#1f2430";
const QUIET = "#667085";
const ACCENT = "#3046c5";
const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const HEAD = `font-weight:700;color:${INK}`;
const MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace";

/** A word that is wider than a telephone breaks, rather than make the mail as wide as it is. */
export const BREAKS = "overflow-wrap:anywhere;word-break:break-word";
/** Columns would be as narrow as a letter then, so words in them stay whole. */
const WHOLE = "overflow-wrap:normal;word-break:normal";

function css(...declarations: readonly string[]): string {
  return declarations.join(";");
}

/** Elements with the styles that they get. */
const STYLES: Readonly<Record<string, string>> = {
  p: css(`margin:0 0 16px;${FONT};font-size:16px;line-height:24px;color:${INK}`, BREAKS),
  h1: css(`margin:0 0 16px;${FONT};font-size:26px;line-height:32px;${HEAD}`, BREAKS),
  h2: css(`margin:24px 0 8px;${FONT};font-size:19px;line-height:26px;${HEAD}`, BREAKS),
  h3: css(`margin:0 0 8px;${FONT};font-size:16px;line-height:24px;${HEAD}`, BREAKS),
  a: `color:${ACCENT};text-decoration:underline`,
  ul: `margin:0 0 16px;padding:0 0 0 24px;${FONT};font-size:16px;line-height:24px;color:${INK}`,
  ol: `margin:0 0 16px;padding:0 0 0 24px;${FONT};font-size:16px;line-height:24px;color:${INK}`,
  li: css("margin:0 0 4px", BREAKS),
  table: `width:100%;margin:0 0 16px;border-collapse:collapse;${FONT}`,
  tbody: "",
  thead: "",
  tr: "",
  td: css(
    "padding:8px 8px 8px 0;vertical-align:top",
    `font-size:15px;line-height:22px;color:${INK}`,
    WHOLE,
  ),
  th: css(
    "padding:8px 8px 8px 0;vertical-align:top;text-align:left",
    `font-size:13px;line-height:22px;font-weight:400;color:${QUIET}`,
    WHOLE,
  ),
  img: "display:block;max-width:100%;height:auto;border:0",
  hr: "margin:24px 0;border:0;border-top:1px solid #e4e7ec",
  blockquote: css(
    "margin:0 0 16px;padding:0 0 0 16px;border-left:3px solid #d0d5dd",
    `${FONT};color:${QUIET}`,
    BREAKS,
  ),
  code: `${MONO};font-size:15px;letter-spacing:0.02em;word-break:break-all`,
  div: css(`${FONT};font-size:16px;line-height:24px;color:${INK}`, BREAKS),
  br: "",
  strong: "font-weight:700",
  b: "font-weight:700",
  em: "font-style:italic",
  i: "font-style:italic",
  u: "text-decoration:underline",
  s: "text-decoration:line-through",
  small: `font-size:13px;line-height:20px;color:${QUIET}`,
  span: "",
};

/** Classes of ours, and what they add to the element's style. */
const CLASSES: Readonly<Record<string, string>> = {
  button: css(
    "display:inline-block;padding:12px 24px;border-radius:8px",
    `background-color:${ACCENT};color:#ffffff;font-weight:700;text-decoration:none`,
  ),
  panel: css(
    "margin:0 0 16px;padding:16px 20px;border:1px solid #e4e7ec",
    "border-radius:12px;background-color:#f9fafb",
  ),
  quiet: `font-size:14px;line-height:22px;color:${QUIET}`,
  total: "border-top:1px solid #d0d5dd;font-weight:700",
  wraps: BREAKS,
  amount: "text-align:right;white-space:nowrap;padding-right:0",
  line: "margin:0 0 4px",
  qr: "width:176px;height:176px;background-color:#ffffff;border-radius:8px",
};

const ATTRIBUTES: Readonly<Record<string, ReadonlySet<string>>> = {
  a: new Set(["href", "title"]),
  img: new Set(["src", "alt", "width", "height", "title"]),
  td: new Set(["colspan", "align"]),
  th: new Set(["colspan", "align"]),
};
const SCHEMES: Readonly<Record<string, RegExp>> = {
  href: /^(?:https?:\/\/|mailto:)[^\s]+$/i,
  src: /^(?:https:\/\/|cid:)[^\s]+$/i,
};
const VALUES: Readonly<Record<string, RegExp>> = {
  colspan: /^\d{1,2}$/,
  width: /^\d{1,4}$/,
  height: /^\d{1,4}$/,
  align: /^(?:left|center|right)$/i,
};
/** Whose inside is no text for people. */
const OPAQUE = new Set(["script", "style", "template", "noscript", "svg", "math", "head", "title"]);

export interface HtmlFault {
  readonly message: string;
  readonly line: number;
}

export interface DressOptions {
  /** What a link becomes: to be counted, say. Default: itself. */
  readonly linkOf?: (href: string) => string;
}

/** The HTML with what is allowed of it, dressed, and what was left out. */
export function dressed(
  html: string,
  { linkOf = (href) => href }: DressOptions = {},
): { readonly html: string; readonly faults: readonly HtmlFault[] } {
  const walk = new Walk(html, linkOf);
  const nodes = walk.allowed(parseDocument(html, PARSER).children, 1);
  return { html: render(nodes, { encodeEntities: "utf8" }), faults: walk.faults };
}

/** What is wrong with the HTML of a block's source, before anything is filled in. */
export function faultsOfSource(source: string): readonly HtmlFault[] {
  const masked = source
    .replace(/\{%[\s\S]*?%\}/g, (tag) => tag.replace(/[^\n]/g, " "))
    .replace(/\{\{[\s\S]*?\}\}/g, (output) => output.replace(/[^\n]/g, FILLED_IN));
  return dressed(masked).faults;
}

const PARSER = { withStartIndices: true, lowerCaseTags: true, decodeEntities: true };
/** Stands for what is filled in: a letter that nobody writes (private use). */
const FILLED_IN = "\ue000";

class Walk {
  readonly faults: HtmlFault[] = [];
  readonly #html: string;
  readonly #linkOf: (href: string) => string;

  constructor(html: string, linkOf: (href: string) => string) {
    this.#html = html;
    this.#linkOf = linkOf;
  }

  allowed(nodes: readonly ChildNode[], deep: number): ChildNode[] {
    const kept: ChildNode[] = [];
    for (const node of nodes) {
      if (node instanceof Text) kept.push(new Text(node.data));
      else if (node instanceof Element) kept.push(...this.#element(node, deep));
      else if (node.type === "comment") continue;
      else this.#fault("a declaration is not allowed", node);
    }
    return kept;
  }

  #element(node: Element, deep: number): ChildNode[] {
    const { name } = node;
    const style = Object.hasOwn(STYLES, name) ? STYLES[name] : undefined;
    if (deep > MAIL_HTML_DEEP_MAX) {
      this.#fault(`elements stand more than ${MAIL_HTML_DEEP_MAX} deep`, node);
      return [];
    }
    if (style === undefined) {
      this.#fault(`<${name.slice(0, 40)}> is not allowed`, node);
      return OPAQUE.has(name) ? [] : this.allowed(node.children, deep + 1);
    }
    const attributes = this.#attributes(node);
    if (name === "img" && attributes.src === undefined) return [];
    const classes = (node.attribs.class ?? "").split(/\s+/).filter((one) => one !== "");
    const ours = classes.filter((one) => Object.hasOwn(CLASSES, one));
    for (const other of classes) {
      if (!ours.includes(other) && !other.includes(FILLED_IN)) {
        this.#fault(`the class "${other.slice(0, 40)}" is not known`, node);
      }
    }
    const look = [style, ...ours.map((one) => CLASSES[one] ?? "")].filter((one) => one !== "");
    const shown = {
      ...attributes,
      class: [`m-${name}`, ...ours.map((one) => `m-${one}`)].join(" "),
    };
    const styled = look.length === 0 ? shown : { ...shown, style: look.join(";") };
    return [new Element(name, styled, this.allowed(node.children, deep + 1))];
  }

  #attributes(node: Element): Record<string, string> {
    const kept: Record<string, string> = {};
    const known = ATTRIBUTES[node.name];
    for (const [name, value] of Object.entries(node.attribs)) {
      if (name === "class") continue;
      if (known?.has(name) !== true) {
        this.#fault(`the attribute ${name.slice(0, 40)} of <${node.name}> is not allowed`, node);
        continue;
      }
      if (value.startsWith(FILLED_IN)) kept[name] = value;
      else if (SCHEMES[name]?.test(value.trim()) === false) {
        const good = name === "href" ? "http, https or mailto" : "https or cid";
        this.#fault(`the ${name} of <${node.name}> must be an address with ${good}`, node);
      } else if (VALUES[name]?.test(value.trim()) === false) {
        this.#fault(`the ${name} of <${node.name}> is not one`, node);
      } else {
        // Signs of HTML would be inert there, for whoever reads HTML as it is meant.
        const plain = value.replace(/[<>]/g, "").trim();
        kept[name] = name === "href" ? this.#linkOf(plain) : plain;
      }
    }
    return kept;
  }

  #fault(message: string, node: ChildNode): void {
    this.faults.push({ message, line: lineOf(this.#html, node.startIndex ?? 0) });
  }
}
