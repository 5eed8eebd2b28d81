import type { Row } from "./timeline-rows";

export type TreeKeyAction =
  | { kind: "select"; id: string }
  | { kind: "open"; id: string }
  | { kind: "toggle"; id: string; open: boolean };

/** What a key does according to the WAI-ARIA tree pattern; `page` is the number of rows in view. */
export function treeKeyAction(
  key: string,
  rows: readonly Row[],
  active: number,
  page: number,
): TreeKeyAction | null {
  const row = rows[active];
  const select = (index: number): TreeKeyAction | null => {
    const target = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    return target ? { kind: "select", id: target.id } : null;
  };
  switch (key) {
    case "ArrowDown":
      return select(active + 1);
    case "ArrowUp":
      return select(active < 0 ? rows.length - 1 : active - 1);
    case "PageDown":
      return select(active + page);
    case "PageUp":
      return select(active - page);
    case "Home":
      return select(0);
    case "End":
      return select(rows.length - 1);
    case "ArrowRight":
      if (!row?.expandable) return null;
      return row.expanded ? select(active + 1) : { kind: "toggle", id: row.id, open: true };
    case "ArrowLeft":
      if (row?.expanded) return { kind: "toggle", id: row.id, open: false };
      return row?.parent ? { kind: "select", id: row.parent } : null;
    case "Enter":
    case " ":
      return row ? { kind: "open", id: row.id } : null;
    default:
      return null;
  }
}
