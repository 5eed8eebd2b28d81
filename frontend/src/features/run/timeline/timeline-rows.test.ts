import { describe, expect, it } from "vitest";

import { begun, call, failedCall, framesOf, task, tool, used } from "../testing/event-fixtures";
import { RunStore } from "../store/run-store";

import {
  currentPath,
  deepestFailure,
  EVERYTHING,
  visibleRows,
  type RowFilter,
} from "./timeline-rows";

const PLAN = [
  { key: "research", agent: "researcher" },
  { key: "draft", agent: "writer" },
];

function storeOf(...parts: Parameters<typeof framesOf>): RunStore {
  const store = new RunStore("run_1", { tasks: PLAN });
  store.take(framesOf(begun, ...parts));
  store.flush();
  return store;
}

const store = storeOf(
  task("research", "researcher", (where) => [
    ...call("c1", where, { toolCalls: ["search"] }),
    ...tool("t1", where, "no network"),
    ...call("c2", where, { text: "Bees (all of them) hum" }),
  ]),
);

const ids = (filter: Partial<RowFilter> = {}, collapsed: string[] = []) =>
  visibleRows(store, { ...EVERYTHING, ...filter }, new Set(collapsed)).map((row) => row.id);

describe("the rows", () => {
  it("go down the tree, with what has not begun at the end", () => {
    const all = ["task:research", "agent:4", "llm:c1", "tool:t1", "llm:c2", "task:draft"];
    expect(ids()).toEqual(all);
    expect(visibleRows(store, EVERYTHING, new Set())[1]).toEqual({
      id: "agent:4",
      level: 2,
      position: 1,
      setSize: 1,
      parent: "task:research",
      expandable: true,
      expanded: true,
    });
  });

  it("leave out what is folded", () => {
    expect(ids({}, ["agent:4"])).toEqual(["task:research", "agent:4", "task:draft"]);
    expect(ids({}, ["task:research"])).toEqual(["task:research", "task:draft"]);
  });

  it("keep what a filter finds, and what that is part of", () => {
    expect(ids({ errors: true })).toEqual(["task:research", "agent:4", "tool:t1"]);
    expect(ids({ kinds: ["llm"] })).toEqual(["task:research", "agent:4", "llm:c1", "llm:c2"]);
    expect(ids({ task: "draft" })).toEqual(["task:draft"]);
    expect(ids({ text: "nothing like it" })).toEqual([]);
  });

  it("are searched by name, words and error, letter by letter", () => {
    expect(ids({ text: "BEES (ALL" })).toEqual(["task:research", "agent:4", "llm:c2"]);
    expect(ids({ text: "no network" })).toEqual(["task:research", "agent:4", "tool:t1"]);
    expect(ids({ text: ".*" })).toEqual([]);
  });
});

describe("where to look", () => {
  const where = { taskKey: "research", agent: "researcher" };
  const error = { code: "provider-auth", message: "refused" };

  it("is the deepest failure of the first step that failed", () => {
    const failed = storeOf([
      { type: "task.started", ...where, data: { description: "" } },
      { type: "agent.started", ...where, data: { tools: [] } },
      ...call("c1", where),
      ...failedCall("c2", where),
      { type: "agent.failed", ...where, data: { message: "401" } },
      { type: "task.failed", ...where, data: { error } },
      { type: "run.failed", data: { error, usage: used(1) } },
    ]);
    expect(deepestFailure(failed)).toBe("llm:c2");
  });

  it("is nothing when what failed was mended", () => {
    expect(deepestFailure(store)).toBeNull();
    expect(currentPath(store)).toEqual([]);
  });

  it("is the innermost step while the run is at work", () => {
    const live = storeOf([
      { type: "task.started", ...where, data: { description: "" } },
      { type: "agent.started", ...where, data: { tools: [] } },
      ...call("c1", where),
      ...call("c2", where).slice(0, 1),
    ]);
    expect(currentPath(live)).toEqual(["task:research", "agent:4", "llm:c2"]);
  });
});
