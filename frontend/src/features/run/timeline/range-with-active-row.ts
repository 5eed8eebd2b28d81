import { defaultRangeExtractor, type Range } from "@tanstack/react-virtual";

/** The indexes of the rows to render: those in view and the active row. */
export function rangeWithActiveRow(range: Range, active: number): number[] {
  const visible = defaultRangeExtractor(range);
  if (active < 0 || active >= range.count || visible.includes(active)) return visible;
  return [...visible, active].toSorted((a, b) => a - b);
}
