/** What a key does in the tree, by WAI-ARIA's pattern for trees. Pure. */
import type { Row } from "./timeline-rows";

export type Target =
  | { kind: "pick"; id: string }
  | { kind: "open"; id: string }
  | { kind: "toggle"; id: string; open: boolean };

export function targetOf(
  key: string,
  rows: readonly Row[],
  active: number,
  page: number,
): Target | null {
  const row = rows[active];
  const pick = (index: number): Target | null => {
    const found = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    return found ? { kind: "pick", id: found.id } : null;
  };
  switch (key) {
    case "ArrowDown":
      return pick(active + 1);
    case "ArrowUp":
      return pick(active < 0 ? rows.length - 1 : active - 1);
    case "PageDown":
      return pick(active + page);
    case "PageUp":
      return pick(active - page);
    case "Home":
      return pick(0);
    case "End":
      return pick(rows.length - 1);
    case "ArrowRight":
      if (!row?.expandable) return null;
      return row.expanded ? pick(active + 1) : { kind: "toggle", id: row.id, open: true };
    case "ArrowLeft":
      if (row?.expanded) return { kind: "toggle", id: row.id, open: false };
      return row?.parent ? { kind: "pick", id: row.parent } : null;
    case "Enter":
    case " ":
      return row ? { kind: "open", id: row.id } : null;
    default:
      return null;
  }
}
