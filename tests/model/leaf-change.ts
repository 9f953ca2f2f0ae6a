import type { Random } from "../../engine/testing/random.ts";

/** A number, text, truth value, null or byte somewhere within a plain value. */
interface Leaf {
  /** Field names and indexes that lead to it, with dots between. */
  readonly path: string;
  readonly change: () => void;
}

/** A copy in which one leaf is another, and which; null: every leaf is spared. */
export function withLeafChanged<Value>(
  value: Value,
  random: Random,
  isSpared: (path: string) => boolean,
): { readonly path: string; readonly value: Value } | null {
  const copy = structuredClone(value);
  const leaves = leavesOf(copy, "").filter(({ path }) => !isSpared(path));
  if (leaves.length === 0) return null;
  const { path, change } = random.pick(leaves);
  change();
  return { path, value: copy };
}

function leavesOf(value: unknown, path: string): Leaf[] {
  if (value instanceof Uint8Array) {
    return Array.from(value, (byte, at) => ({
      path: `${path}.${at}`,
      change: () => {
        value[at] = byte ^ 1;
      },
    }));
  }
  if (!isHolder(value)) return [];
  return Object.entries(value).flatMap(([field, inner]) => {
    const innerPath = path === "" ? field : `${path}.${field}`;
    if (typeof inner === "object" && inner !== null) return leavesOf(inner, innerPath);
    const change = (): void => {
      value[field] = changed(inner);
    };
    return [{ path: innerPath, change }];
  });
}

/** An array is written by its indexes, as an object is by its fields. */
function isHolder(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function changed(leaf: unknown): unknown {
  if (typeof leaf === "number") return leaf + 1;
  if (typeof leaf === "boolean") return !leaf;
  if (leaf === "released") return "expired";
  if (leaf === "expired") return "released";
  if (typeof leaf === "string") return `${leaf.slice(0, -1)}${leaf.endsWith("0") ? "1" : "0"}`;
  return 1;
}
