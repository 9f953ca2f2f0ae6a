import type { JsonObject } from "./json.ts";

interface FormatNote extends JsonObject {
  /** Continues the description. Absent: the format is known to everybody. */
  readonly meaning?: string;
}

/**
 * What our formats (http/validation.ts) are called in the document: what is known to everybody by
 * its own name, the others by a pattern and a sentence.
 */
export const FORMAT_NOTES: Readonly<Record<string, FormatNote>> = {
  id: { format: "uuid" },
  email: { format: "email" },
  instant: { format: "date-time" },
  moment: {
    meaning: "An RFC 3339 time, or a local one of the event's time zone: `2030-05-04T19:30`.",
    pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d",
  },
  timeOrDay: {
    meaning: "An RFC 3339 time, or a day, which counts from its beginning in UTC.",
    pattern: "^\\d{4}-\\d\\d-\\d\\d([Tt].*([Zz]|[+-]\\d\\d:\\d\\d))?$",
  },
  percent: {
    meaning: 'A percentage as a text, with at most two decimals: "2.5".',
    pattern: "^\\d{1,3}(\\.\\d{1,2})?$",
  },
  line: { meaning: "One line of text.", pattern: "\\S" },
  text: { meaning: "Without NUL characters.", pattern: "^[^\\u0000]*$" },
  key: {
    meaning: "1 to 64 letters, digits, dots, dashes or underscores.",
    minLength: 1,
    maxLength: 64,
  },
  currency: { meaning: "ISO 4217.", pattern: "^[A-Z]{3}$" },
  country: { meaning: "ISO 3166-1 alpha-2.", pattern: "^[A-Z]{2}$" },
  place: {
    meaning: "A latitude and a longitude, in degrees: `52.5,13.4`.",
    pattern: "^[+-]?\\d+(\\.\\d+)?\\s*,\\s*[+-]?\\d+(\\.\\d+)?$",
  },
  timezone: { meaning: "An IANA time zone: `Europe/Berlin`.", pattern: "^[A-Za-z]" },
};
