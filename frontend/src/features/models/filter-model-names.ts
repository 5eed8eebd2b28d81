const MAX_SHOWN = 60;

export interface FilteredNames {
  shown: string[];
  /** How many more names match. */
  hidden: number;
}

/** Returns the names that contain every word of the query, those that start with it first. */
export function filterModelNames(names: readonly string[], typed: string): FilteredNames {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = names.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  const start = words[0] ?? "";
  const ranked = found.toSorted((a, b) => rank(a, start) - rank(b, start));
  return { shown: ranked.slice(0, MAX_SHOWN), hidden: Math.max(0, ranked.length - MAX_SHOWN) };
}

function rank(name: string, start: string): number {
  return start && name.toLowerCase().startsWith(start) ? 0 : 1;
}

/** Merges two lists of names without duplicates. */
export function mergeNames(live: readonly string[], offered: readonly string[]): string[] {
  return [...new Set([...offered, ...live])];
}

/** Returns the next row after an arrow key, wrapping around; -1 without rows. */
export function nextRow(row: number, key: string, count: number): number {
  if (count === 0) return -1;
  if (key === "ArrowDown") return (row + 1) % count;
  return row <= 0 ? count - 1 : row - 1;
}
