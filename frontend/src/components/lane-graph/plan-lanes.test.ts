// @vitest-environment node
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { WorkflowDefinition } from "@/lib/api/types";

import { CARD_SIZE, contextEdges, LANE_HEADER_HEIGHT, planLanes } from "./plan-lanes";

type Task = WorkflowDefinition["tasks"][number];

const agent = (key: string, role = `${key}'s role`): WorkflowDefinition["agents"][number] => ({
  key,
  role,
  goal: "g",
  backstory: "b",
  allowDelegation: false,
  cache: true,
  injectDate: false,
  planning: false,
  verbose: false,
});

const task = (key: string, more: Partial<Task> = {}): Task => ({
  key,
  description: `do ${key}`,
  expectedOutput: "x",
  asyncExecution: false,
  humanInput: false,
  markdown: false,
  ...more,
});

const crew = (
  agents: string[],
  tasks: Task[],
  more: Partial<WorkflowDefinition> = {},
): WorkflowDefinition => ({
  name: "crew",
  agents: agents.map((key) => agent(key)),
  tasks,
  process: "sequential",
  cache: false,
  memory: false,
  onWorkerLoss: "resume",
  ...more,
});

const edgeLabels = (definition: WorkflowDefinition) =>
  contextEdges(definition).map((edge) => `${edge.id}${edge.isImplied ? " (implied)" : ""}`);

describe("planLanes", () => {
  it("orders lanes by first use, unused agents last", () => {
    const plan = planLanes(
      crew(
        ["idle", "writer", "finder"],
        [task("a", { agent: "finder" }), task("b", { agent: "writer" })],
      ),
    );

    expect(plan.lanes.map((lane) => [lane.id, lane.isUnused])).toEqual([
      ["agent:finder", false],
      ["agent:writer", false],
      ["agent:idle", true],
    ]);
  });

  it("puts unassigned tasks into the manager's lane", () => {
    const plan = planLanes(
      crew(["a"], [task("x"), task("y", { agent: "a" })], { process: "hierarchical" }),
    );

    expect(plan.lanes.map((lane) => [lane.id, lane.title])).toEqual([
      ["manager", "Manager"],
      ["agent:a", "a"],
    ]);
    expect(plan.lanes[0]).toMatchObject({ isUnassigned: true, subtitle: "Assigns the tasks" });
  });

  it("treats a task of an unknown agent as unassigned", () => {
    const plan = planLanes(crew(["a"], [task("x", { agent: "b" })]));

    expect(plan.lanes.map((lane) => lane.title)).toEqual(["Unassigned", "a"]);
  });

  it("marks the manager agent", () => {
    const plan = planLanes(crew(["boss"], [task("x")], { managerAgent: "boss" }));

    expect(plan.lanes[1]?.subtitle).toBe("Manager · boss's role");
  });

  it("places tasks below the tasks they depend on", () => {
    const none = { context: [] as string[] };
    const plan = planLanes(
      crew(
        ["a", "b"],
        [
          task("one", { agent: "a", ...none }),
          task("two", { agent: "b", ...none }),
          task("both", { agent: "a", context: ["one", "two"] }),
          task("last", { agent: "b", context: ["both"] }),
        ],
      ),
    );

    expect(plan.cards.map((card) => card.row)).toEqual([0, 0, 1, 2]);
    expect(plan.cards.map((card) => card.number)).toEqual([1, 2, 3, 4]);
  });

  it("keeps the order of tasks inside a lane", () => {
    const plan = planLanes(
      crew(
        ["a"],
        [task("one", { agent: "a", context: [] }), task("two", { agent: "a", context: [] })],
      ),
    );

    expect(plan.cards.map((card) => card.row)).toEqual([0, 1]);
  });

  it("is empty for a workflow without agents and tasks", () => {
    expect(planLanes(crew([], []))).toMatchObject({ lanes: [], cards: [], edges: [] });
  });
});

describe("contextEdges", () => {
  it("follows `context`, ignoring duplicates, unknown tasks and the task itself", () => {
    const definition = crew(
      ["a"],
      [task("x", { context: [] }), task("y", { context: ["x", "x", "gone", "y"] })],
    );

    expect(edgeLabels(definition)).toEqual(["x→y"]);
  });

  it("without context links to the previous task", () => {
    expect(edgeLabels(crew(["a"], [task("x"), task("y"), task("z")]))).toEqual([
      "x→y (implied)",
      "y→z (implied)",
    ]);
  });

  it("links async tasks to the next synchronous task", () => {
    const isAsync = { asyncExecution: true };
    expect(
      edgeLabels(crew(["a"], [task("s"), task("p", isAsync), task("q", isAsync), task("end")])),
    ).toEqual(["s→p (implied)", "s→q (implied)", "p→end (implied)", "q→end (implied)"]);
  });

  it("has no edge to the first task", () => {
    expect(edgeLabels(crew(["a"], [task("p", { asyncExecution: true }), task("q")]))).toEqual([
      "p→q (implied)",
    ]);
  });

  it("allows context cycles", () => {
    const plan = planLanes(
      crew(["a"], [task("x", { context: ["y"] }), task("y", { context: ["x"] })]),
    );

    expect(plan.cards).toHaveLength(2);
  });
});

describe("planLanes for any workflow", () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 8 });
  const workflows = fc.tuple(names, names).chain(([agents, keys]) =>
    fc
      .tuple(
        ...keys.map((key) =>
          fc.record({
            key: fc.constant(key),
            agent: fc.option(fc.constantFrom(...agents)),
            context: fc.option(fc.subarray(keys)),
            asyncExecution: fc.boolean(),
          }),
        ),
      )
      .map((tasks) =>
        crew(
          agents,
          tasks.map(({ key, ...more }) => task(key, more)),
        ),
      ),
  );

  it("places cards inside their lane without overlap", () => {
    fc.assert(
      fc.property(workflows, (definition) => {
        const plan = planLanes(definition);
        const positions = plan.cards.map((card) => `${card.x},${card.y}`);
        expect(new Set(positions).size).toBe(definition.tasks.length);
        for (const card of plan.cards) {
          const lane = plan.lanes.find(
            (candidate) => candidate.x <= card.x && card.x < candidate.x + candidate.width,
          );
          expect(lane).toBeDefined();
          expect(card.x + CARD_SIZE.width).toBeLessThanOrEqual((lane?.x ?? 0) + (lane?.width ?? 0));
          expect(card.y).toBeGreaterThan(LANE_HEADER_HEIGHT);
          expect(card.y + CARD_SIZE.height).toBeLessThan(lane?.height ?? 0);
        }
      }),
    );
  });

  it("has one lane per agent and edges that point down to later tasks", () => {
    fc.assert(
      fc.property(workflows, (definition) => {
        const plan = planLanes(definition);
        const ids = plan.lanes.map((lane) => lane.id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const one of definition.agents) expect(ids).toContain(`agent:${one.key}`);
        for (const edge of plan.edges) {
          const from = plan.cards.find((card) => card.id === edge.from);
          const to = plan.cards.find((card) => card.id === edge.to);
          if (from && to && from.number < to.number) expect(from.row).toBeLessThan(to.row);
        }
      }),
    );
  });
});
