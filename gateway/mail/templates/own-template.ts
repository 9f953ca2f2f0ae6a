/** What an organisation has put in place of a built-in template's words. */
import type { FieldError } from "../../http/validation.ts";
import { BUILT_IN, type EditableKind } from "./built-in-templates.ts";
import { checkTemplate, type MailTemplate } from "./mail-template.ts";
import { SAMPLES } from "./sample-variables.ts";

export interface OwnTemplate {
  /** Absent: the built-in one. */
  readonly subject?: string;
  /** By the names of the built-in ones; absent: the built-in one. "": nothing. */
  readonly blocks?: Readonly<Record<string, string>>;
}

/** The template that is used: the built-in blocks, in their order, with what was put in place. */
export function withOwn(kind: EditableKind, own: OwnTemplate): MailTemplate {
  const { subject, blocks } = BUILT_IN[kind];
  const used = Object.entries(blocks).map(([name, text]) => [name, own.blocks?.[name] ?? text]);
  return { subject: own.subject ?? subject, blocks: Object.fromEntries(used) };
}

/** Empty: it may be kept. */
export function checkOwn(kind: EditableKind, own: OwnTemplate): FieldError[] {
  const known = Object.keys(BUILT_IN[kind].blocks);
  const unknown = Object.keys(own.blocks ?? {}).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const message = `is no block of this mail: those are ${known.join(", ")}`;
    return unknown.map((name) => ({ path: `blocks.${name.slice(0, 40)}`, message }));
  }
  return checkTemplate(withOwn(kind, own), SAMPLES[kind]);
}
