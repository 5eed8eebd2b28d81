import { describe, expect, it } from "vitest";

import { RunStore } from "../store/run-store";
import {
  failedLlmCall,
  llmCall,
  RUN_STARTED,
  taskEvents,
  toFrames,
  toolCall,
  usageOf,
} from "../testing/event-fixtures";

import {
  buildRows,
  findCurrentPath,
  findRootCause,
  NO_FILTER,
  type RowFilter,
} from "./timeline-rows";

const PLAN = [
  { key: "research", agent: "researcher" },
  { key: "draft", agent: "writer" },
];

function storeWith(...parts: Parameters<typeof toFrames>): RunStore {
  const store = new RunStore("run_1", { tasks: PLAN });
  store.apply(toFrames(RUN_STARTED, ...parts));
  store.flush();
  return store;
}

const store = storeWith(
  taskEvents("research", "researcher", (context) => [
    ...llmCall("c1", context, { toolCalls: ["search"] }),
    ...toolCall("t1", context, "no network"),
    ...llmCall("c2", context, { text: "Bees (all of them) hum" }),
  ]),
);

const rowIds = (filter: Partial<RowFilter> = {}, collapsed: string[] = []) =>
  buildRows(store, { ...NO_FILTER, ...filter }, new Set(collapsed)).map((row) => row.id);

describe("buildRows", () => {
  it("lists the tree from top to bottom, with pending tasks at the end", () => {
    const all = ["task:research", "agent:4", "llm:c1", "tool:t1", "llm:c2", "task:draft"];
    expect(rowIds()).toEqual(all);
    expect(buildRows(store, NO_FILTER, new Set())[1]).toEqual({
      id: "agent:4",
      level: 2,
      position: 1,
      setSize: 1,
      parent: "task:research",
      expandable: true,
      expanded: true,
    });
  });

  it("leaves out the children of collapsed rows", () => {
    expect(rowIds({}, ["agent:4"])).toEqual(["task:research", "agent:4", "task:draft"]);
    expect(rowIds({}, ["task:research"])).toEqual(["task:research", "task:draft"]);
  });

  it("keeps the rows that match the filter, and their ancestors", () => {
    expect(rowIds({ errors: true })).toEqual(["task:research", "agent:4", "tool:t1"]);
    expect(rowIds({ kinds: ["llm"] })).toEqual(["task:research", "agent:4", "llm:c1", "llm:c2"]);
    expect(rowIds({ task: "draft" })).toEqual(["task:draft"]);
    expect(rowIds({ text: "nothing like it" })).toEqual([]);
  });

  it("searches name, text and error literally, ignoring case", () => {
    expect(rowIds({ text: "BEES (ALL" })).toEqual(["task:research", "agent:4", "llm:c2"]);
    expect(rowIds({ text: "no network" })).toEqual(["task:research", "agent:4", "tool:t1"]);
    expect(rowIds({ text: ".*" })).toEqual([]);
  });
});

const context = { taskKey: "research", agent: "researcher" };

describe("findRootCause", () => {
  const error = { code: "provider-auth", message: "refused" };

  it("returns the deepest failed span of the first failed task", () => {
    const failed = storeWith([
      { type: "task.started", ...context, data: { description: "" } },
      { type: "agent.started", ...context, data: { tools: [] } },
      ...llmCall("c1", context),
      ...failedLlmCall("c2", context),
      { type: "agent.failed", ...context, data: { message: "401" } },
      { type: "task.failed", ...context, data: { error } },
      { type: "run.failed", data: { error, usage: usageOf(1) } },
    ]);
    expect(findRootCause(failed)).toBe("llm:c2");
  });

  it("ignores failures that were recovered", () => {
    expect(findRootCause(store)).toBeNull();
  });
});

describe("findCurrentPath", () => {
  it("returns the open spans down to the innermost step", () => {
    const live = storeWith([
      { type: "task.started", ...context, data: { description: "" } },
      { type: "agent.started", ...context, data: { tools: [] } },
      ...llmCall("c1", context),
      ...llmCall("c2", context).slice(0, 1),
    ]);
    expect(findCurrentPath(live)).toEqual(["task:research", "agent:4", "llm:c2"]);
  });

  it("is empty when nothing is running", () => {
    expect(findCurrentPath(store)).toEqual([]);
  });
});
