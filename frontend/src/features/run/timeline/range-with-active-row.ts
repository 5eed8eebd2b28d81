import { defaultRangeExtractor, type Range } from "@tanstack/react-virtual";

/** The rows in sight and the active one, wherever it is. */
export function withActive(range: Range, active: number): number[] {
  const shown = defaultRangeExtractor(range);
  if (active < 0 || active >= range.count || shown.includes(active)) return shown;
  return [...shown, active].toSorted((a, b) => a - b);
}
