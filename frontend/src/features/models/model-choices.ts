/** Which of a provider's models are offered for what is typed. */

const MOST_SHOWN = 60;

export interface Choices {
  shown: string[];
  /** How many more there are. */
  hidden: number;
}

/** Names that hold every word that is typed; those that begin with it come first. */
export function choicesFor(names: readonly string[], typed: string): Choices {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = names.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  const start = words[0] ?? "";
  const ranked = found.toSorted((a, b) => rank(a, start) - rank(b, start));
  return { shown: ranked.slice(0, MOST_SHOWN), hidden: Math.max(0, ranked.length - MOST_SHOWN) };
}

function rank(name: string, start: string): number {
  return start && name.toLowerCase().startsWith(start) ? 0 : 1;
}

/** What is known of both lists, each name once. */
export function mergedNames(live: readonly string[], offered: readonly string[]): string[] {
  return [...new Set([...offered, ...live])];
}

/** The list's next row after a key; no row before the first arrow. */
export function movedRow(row: number, key: string, count: number): number {
  if (count === 0) return -1;
  if (key === "ArrowDown") return (row + 1) % count;
  return row <= 0 ? count - 1 : row - 1;
}
