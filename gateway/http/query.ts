import Type, { type Static, type TObject, type TSchema } from "typebox";
import { compileSchema, type FieldError, validationFailed } from "./validation.ts";

/**
 * A reader of query strings: the schema is that of an object with the parameters as members. Absent
 * and empty parameters are absent; what is wrong with the others is thrown, all at once. Of a
 * parameter that is given twice the first one counts, and unknown ones are let pass. `faultsOf`
 * says what else is wrong, which a schema can't.
 */
export function compileQuery<Schema extends TObject>(
  schema: Schema,
  faultsOf: (given: URLSearchParams) => readonly FieldError[] = () => [],
): (query: string) => Static<Schema> {
  const check = compileSchema(schema);
  const parameters = Object.entries(schema.properties);
  return (query) => {
    const given = new URLSearchParams(query);
    const values: Record<string, unknown> = {};
    for (const [name, parameter] of parameters) {
      const text = given.get(name)?.trim() ?? "";
      if (text !== "") values[name] = parsedAs(parameter, text);
    }
    const checked = check(values);
    const faults = [...faultsOf(given), ...(checked.ok ? [] : checked.errors)];
    if (checked.ok && faults.length === 0) return checked.value;
    const first = new Map(faults.toReversed().map((fault) => [fault.path, fault]));
    throw validationFailed([...first.values()].reverse());
  };
}

/** What a text stands for; one that is no number stays a text, and the schema complains. */
function parsedAs(parameter: TSchema, text: string): unknown {
  const type = "type" in parameter ? parameter.type : "string";
  if (type === "integer" && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (type === "number" && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** A text in a query. PostgreSQL keeps no NUL. */
export const textParameter = (maxLength: number, description: string, examples: string[] = []) =>
  Type.Optional(
    Type.String({
      format: "text",
      maxLength,
      description,
      ...(examples.length > 0 ? { examples } : {}),
    }),
  );

/** An instant in a query; a day counts from its beginning in UTC. */
export const timeParameter = (description: string) =>
  Type.Optional(Type.String({ format: "timeOrDay", maxLength: 40, description }));
