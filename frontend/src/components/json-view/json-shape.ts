export interface Entry {
  name: string;
  value: unknown;
}

/** True for objects and arrays. */
export function isBranch(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

export function entriesOf(value: object): Entry[] {
  return Object.entries(value).map(([name, member]) => ({ name, value: member as unknown }));
}

/** Describes a collapsed branch: `{3 fields}`, `[12 items]`. */
export function summarizeBranch(value: object): string {
  const size = Object.keys(value).length;
  if (Array.isArray(value)) return `[${size} ${size === 1 ? "item" : "items"}]`;
  return `{${size} ${size === 1 ? "field" : "fields"}}`;
}
