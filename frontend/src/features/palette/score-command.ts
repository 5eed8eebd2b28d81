/**
 * How well a command fits what was typed: 0 hides it, more stands higher. The name counts more than the
 * words beside it, and the start of a word more than its middle, so that "runs" finds the page Runs
 * before any workflow with runs in its name.
 */
export function scoreCommand(name: string, typed: string, beside: readonly string[] = []): number {
  const wanted = normalizeText(typed);
  if (!wanted) return 1;
  const own = textScore(normalizeText(name), wanted);
  const others = beside.map((one) => textScore(normalizeText(one), wanted) * 0.5);
  return Math.max(own, ...others);
}

function textScore(text: string, wanted: string): number {
  if (text === wanted) return 1;
  if (text.startsWith(wanted)) return 0.8;
  if (text.includes(` ${wanted}`)) return 0.6;
  if (wanted.split(" ").every((word) => hasWordPrefix(text, word))) return 0.5;
  if (text.includes(wanted)) return 0.3;
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
