// @vitest-environment node
import { describe, expect, it } from "vitest";

import type { Row } from "./timeline-rows";
import { treeKeyAction } from "./tree-key-action";

function row(id: string, change: Partial<Row> = {}): Row {
  const defaults = { level: 1, position: 1, setSize: 1, parent: null };
  return { id, ...defaults, expandable: false, expanded: false, ...change };
}

describe("treeKeyAction", () => {
  const rows = [
    row("a", { expandable: true, expanded: true }),
    row("b", { parent: "a" }),
    row("c", { expandable: true }),
  ];
  const press = (key: string, active: number) => treeKeyAction(key, rows, active, 2);

  it("moves the selection within the rows", () => {
    expect(press("ArrowDown", -1)).toEqual({ kind: "select", id: "a" });
    expect(press("ArrowDown", 2)).toEqual({ kind: "select", id: "c" });
    expect(press("ArrowUp", 1)).toEqual({ kind: "select", id: "a" });
    expect(press("End", 0)).toEqual({ kind: "select", id: "c" });
    expect(press("Home", 2)).toEqual({ kind: "select", id: "a" });
    expect(press("PageDown", 0)).toEqual({ kind: "select", id: "c" });
  });

  it("expands, collapses, opens, and moves to parent and child", () => {
    expect(press("ArrowRight", 2)).toEqual({ kind: "toggle", id: "c", open: true });
    expect(press("ArrowRight", 0)).toEqual({ kind: "select", id: "b" });
    expect(press("ArrowLeft", 0)).toEqual({ kind: "toggle", id: "a", open: false });
    expect(press("ArrowLeft", 1)).toEqual({ kind: "select", id: "a" });
    expect(press("ArrowLeft", 2)).toBeNull();
    expect(press("Enter", 1)).toEqual({ kind: "open", id: "b" });
    expect(press("x", 1)).toBeNull();
    expect(treeKeyAction("ArrowDown", [], -1, 1)).toBeNull();
  });
});
