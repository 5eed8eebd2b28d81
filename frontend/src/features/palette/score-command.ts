/**
 * Scores how well a command matches a query, from 0 (no match) to 1. The name counts more than keywords,
 * and the start of a word more than its middle: "runs" finds the page Runs before workflows with "runs"
 * in their names.
 */
export function scoreCommand(
  name: string,
  query: string,
  keywords: readonly string[] = [],
): number {
  const text = normalizeText(query);
  if (!text) return 1;
  const keywordScores = keywords.map((keyword) => scoreText(normalizeText(keyword), text) * 0.5);
  return Math.max(scoreText(normalizeText(name), text), ...keywordScores);
}

function scoreText(text: string, query: string): number {
  if (text === query) return 1;
  if (text.startsWith(query)) return 0.8;
  if (text.includes(` ${query}`)) return 0.6;
  if (query.split(" ").every((word) => hasWordPrefix(text, word))) return 0.5;
  if (text.includes(query)) return 0.3;
  return 0;
}

function hasWordPrefix(text: string, word: string): boolean {
  return text.startsWith(word) || text.includes(` ${word}`);
}

function normalizeText(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
