import { describe, expect, it } from "vitest";

import { begun, framesOf, task, tool } from "../testing/event-fixtures";
import { RunStore } from "../store/run-store";
import type { Span } from "../store/span";

import { wordsOf } from "./describe-span";
import { withActive } from "./range-with-active-row";
import type { Row } from "./timeline-rows";
import { axisOf, barOf, lengthOf, ticksOf } from "./time-axis";
import { targetOf } from "./tree-key-action";

const store = new RunStore("run_1");
store.take(
  framesOf(
    begun,
    task("research", "r", (where) => tool("t1", where)),
  ),
);
store.flush();
const sample = store.getSpan("tool:t1") as Span;
const span = (change: Partial<Span>): Span => ({ ...sample, durationMs: null, ...change });

describe("the axis of time", () => {
  it("reaches from the first beginning to the last end, or to now", () => {
    const spans = [
      span({ startedAt: 100, finishedAt: 300 }),
      span({ startedAt: 200, finishedAt: null }),
    ];
    expect(axisOf(spans, null)).toEqual({ from: 100, to: 300 });
    expect(axisOf(spans, 900)).toEqual({ from: 100, to: 900 });
    expect(axisOf([span({ startedAt: null })], 5).from).toBe(0);
  });

  it("places bars on it, none of them too thin or outside", () => {
    const axis = { from: 1000, to: 2000 };
    expect(barOf(span({ startedAt: 1250, finishedAt: 1500 }), axis)).toEqual({
      left: 0.25,
      width: 0.25,
    });
    expect(barOf(span({ startedAt: 1500, finishedAt: null }), axis)).toEqual({
      left: 0.5,
      width: 0.5,
    });
    expect(barOf(span({ startedAt: null }), axis)).toBeNull();
    const point = barOf(span({ startedAt: 2000, finishedAt: 2000 }), axis);
    expect((point?.left ?? 0) + (point?.width ?? 0)).toBeCloseTo(1);
    expect(point?.width).toBeGreaterThan(0);
  });

  it("has few and round marks, however long the run", () => {
    expect(ticksOf({ from: 7, to: 4007 })).toEqual([0, 1000, 2000, 3000, 4000]);
    for (const length of [40, 999, 12_345, 3_600_000, 90_000_000, 4e8]) {
      expect(ticksOf({ from: 0, to: length }).length).toBeLessThanOrEqual(6);
    }
  });

  it("says how long a step took, as the server measured it if it did", () => {
    expect(lengthOf(span({ startedAt: 100, finishedAt: null }), 250)).toBe(150);
    expect(lengthOf(span({ startedAt: 100, finishedAt: 200, durationMs: 70 }), 250)).toBe(70);
    expect(lengthOf(span({ startedAt: null }), 250)).toBeNull();
  });
});

describe("the words of a row", () => {
  it("are its error, else its output, else what it was given", () => {
    expect(wordsOf(span({ state: "failed", error: "429 rate limit" }))).toEqual({
      text: "429 rate limit",
      wrong: true,
    });
    expect(wordsOf(span({ state: "retried", error: "429" })).wrong).toBe(false);
    expect(wordsOf(span({ json: { query: "bees", deep: [1] } })).text).toBe(
      'query: "bees", deep: [1]',
    );
    expect(wordsOf(span({ kind: "llm", output: "## Bees\n\nhum" })).text).toBe("Bees");
    const aloud = "Thought: I now can give a great answer\nFinal Answer: **Bees** hum";
    expect(wordsOf(span({ kind: "llm", output: aloud })).text).toBe("Bees** hum");
    expect(wordsOf(span({ kind: "llm", output: "Thought: hm" })).text).toBe("Thought: hm");
    expect(wordsOf(span({ kind: "llm", output: "", toolCalls: ["a", "b"] })).text).toBe("→ a, b");
    expect(wordsOf(span({ kind: "task", output: "", input: "Do it" })).text).toBe("Do it");
  });
});

function row(id: string, change: Partial<Row> = {}): Row {
  const place = { level: 1, position: 1, setSize: 1, parent: null };
  return { id, ...place, expandable: false, expanded: false, ...change };
}

describe("the keys of the tree", () => {
  const rows = [
    row("a", { expandable: true, expanded: true }),
    row("b", { parent: "a" }),
    row("c", { expandable: true }),
  ];
  const press = (key: string, at: number) => targetOf(key, rows, at, 2);

  it("go up and down and stay inside", () => {
    expect(press("ArrowDown", -1)).toEqual({ kind: "pick", id: "a" });
    expect(press("ArrowDown", 2)).toEqual({ kind: "pick", id: "c" });
    expect(press("ArrowUp", 1)).toEqual({ kind: "pick", id: "a" });
    expect(press("End", 0)).toEqual({ kind: "pick", id: "c" });
    expect(press("Home", 2)).toEqual({ kind: "pick", id: "a" });
    expect(press("PageDown", 0)).toEqual({ kind: "pick", id: "c" });
  });

  it("fold, unfold, and go to parent and child", () => {
    expect(press("ArrowRight", 2)).toEqual({ kind: "toggle", id: "c", open: true });
    expect(press("ArrowRight", 0)).toEqual({ kind: "pick", id: "b" });
    expect(press("ArrowLeft", 0)).toEqual({ kind: "toggle", id: "a", open: false });
    expect(press("ArrowLeft", 1)).toEqual({ kind: "pick", id: "a" });
    expect(press("ArrowLeft", 2)).toBeNull();
    expect(press("Enter", 1)).toEqual({ kind: "open", id: "b" });
    expect(press("x", 1)).toBeNull();
    expect(targetOf("ArrowDown", [], -1, 1)).toBeNull();
  });
});

it("keeps the active row in the document", () => {
  const range = { startIndex: 10, endIndex: 12, overscan: 1, count: 100 };
  expect(withActive(range, -1)).toEqual([9, 10, 11, 12, 13]);
  expect(withActive(range, 3)).toEqual([3, 9, 10, 11, 12, 13]);
  expect(withActive(range, 11)).toEqual([9, 10, 11, 12, 13]);
  expect(withActive(range, 100)).toEqual([9, 10, 11, 12, 13]);
});
