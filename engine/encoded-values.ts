/** What bytes that have passed a checksum are made of: another shape is a bug, and asserts. */
import { assert } from "./assert.ts";

export function map<Shape>(value: unknown): Shape {
  assert(typeof value === "object" && value !== null, "a map where the format has one");
  return value as Shape;
}

export function array(value: unknown): readonly unknown[] {
  assert(Array.isArray(value), "an encoded fact is made of arrays");
  return value;
}

export function number(value: unknown): number {
  assert(typeof value === "number", "a number where the format has one");
  return value;
}

export function string(value: unknown): string {
  assert(typeof value === "string", "a text where the format has one");
  return value;
}
