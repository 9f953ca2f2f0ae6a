import { type FieldError, validationFailed } from "./validation.ts";

/**
 * Reads the query parameters of one request. Absent and empty ones are null; what is wrong with the
 * others is collected and thrown by `finish`, all at once.
 */
export class QueryReader {
  readonly #parameters: URLSearchParams;
  readonly #errors: FieldError[] = [];

  constructor(query: string) {
    this.#parameters = new URLSearchParams(query);
  }

  text(name: string, charsMax: number): string | null {
    const value = this.#parameters.get(name)?.trim() ?? "";
    if (value === "") return null;
    if (value.length <= charsMax && !value.includes("\0")) return value;
    return this.refuse(name, `must have at most ${charsMax} characters`);
  }

  integer(name: string, bounds: { min: number; max: number }): number | null {
    const text = this.text(name, 20);
    if (text === null) return null;
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= bounds.min && value <= bounds.max) return value;
    return this.refuse(name, `must be a whole number from ${bounds.min} to ${bounds.max}`);
  }

  /** Unix ms. */
  time(name: string): number | null {
    const text = this.text(name, 40);
    if (text === null) return null;
    const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(ms) ? this.refuse(name, "must be an RFC 3339 time or date") : ms;
  }

  /** Notes what is wrong with a parameter. */
  refuse(name: string, message: string): null {
    this.#errors.push({ path: name, message });
    return null;
  }

  has(name: string): boolean {
    return this.#parameters.has(name);
  }

  finish(): void {
    if (this.#errors.length > 0) throw validationFailed(this.#errors);
  }
}
