import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { WorkflowDefinition } from "@/lib/api/types";

import { CARD, LANE_HEAD, flowsOf, planLanes } from "./plan-lanes";

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

const edges = (definition: WorkflowDefinition) =>
  flowsOf(definition).map((flow) => `${flow.id}${flow.implied ? " (implied)" : ""}`);

describe("lanes", () => {
  it("puts agents in order of first use, and the unused at the end", () => {
    const plan = planLanes(
      crew(
        ["idle", "writer", "finder"],
        [task("a", { agent: "finder" }), task("b", { agent: "writer" })],
      ),
    );

    expect(plan.lanes.map((lane) => [lane.id, lane.unused])).toEqual([
      ["agent:finder", false],
      ["agent:writer", false],
      ["agent:idle", true],
    ]);
  });

  it("gives tasks that nobody is named for a lane of the manager", () => {
    const plan = planLanes(
      crew(["a"], [task("x"), task("y", { agent: "a" })], { process: "hierarchical" }),
    );

    expect(plan.lanes.map((lane) => [lane.id, lane.title])).toEqual([
      ["manager", "Manager"],
      ["agent:a", "a"],
    ]);
    expect(plan.lanes[0]).toMatchObject({ manager: true, subtitle: "Hands out the work" });
  });

  it("treats a task of an unknown agent as unassigned", () => {
    const plan = planLanes(crew(["a"], [task("x", { agent: "b" })]));

    expect(plan.lanes.map((lane) => lane.title)).toEqual(["Unassigned", "a"]);
  });

  it("says who manages", () => {
    const plan = planLanes(crew(["boss"], [task("x")], { managerAgent: "boss" }));

    expect(plan.lanes[1]?.subtitle).toBe("Manages · boss's role");
  });

  it("puts rows by what a task waits for", () => {
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
    expect(planLanes(crew([], []))).toMatchObject({ lanes: [], cards: [], flows: [] });
  });
});

describe("flows", () => {
  it("follow the named context, once each, and only to tasks there are", () => {
    const definition = crew(
      ["a"],
      [task("x", { context: [] }), task("y", { context: ["x", "x", "gone", "y"] })],
    );

    expect(edges(definition)).toEqual(["x→y"]);
  });

  it("without context come from the task before", () => {
    expect(edges(crew(["a"], [task("x"), task("y"), task("z")]))).toEqual([
      "x→y (implied)",
      "y→z (implied)",
    ]);
  });

  it("gather tasks that ran side by side", () => {
    const beside = { asyncExecution: true };
    expect(
      edges(crew(["a"], [task("s"), task("p", beside), task("q", beside), task("end")])),
    ).toEqual(["s→p (implied)", "s→q (implied)", "p→end (implied)", "q→end (implied)"]);
  });

  it("have nothing to begin with", () => {
    expect(edges(crew(["a"], [task("p", { asyncExecution: true }), task("q")]))).toEqual([
      "p→q (implied)",
    ]);
  });

  it("survive a context that comes later or waits for itself", () => {
    const plan = planLanes(
      crew(["a"], [task("x", { context: ["y"] }), task("y", { context: ["x"] })]),
    );

    expect(plan.cards).toHaveLength(2);
  });
});

describe("any workflow", () => {
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

  it("has no two cards on one another, and every card inside its lane", () => {
    fc.assert(
      fc.property(workflows, (definition) => {
        const plan = planLanes(definition);
        const places = plan.cards.map((card) => `${card.x},${card.y}`);
        expect(new Set(places).size).toBe(definition.tasks.length);
        for (const card of plan.cards) {
          const lane = plan.lanes.find((one) => one.x <= card.x && card.x < one.x + one.width);
          expect(lane).toBeDefined();
          expect(card.x + CARD.width).toBeLessThanOrEqual((lane?.x ?? 0) + (lane?.width ?? 0));
          expect(card.y).toBeGreaterThan(LANE_HEAD);
          expect(card.y + CARD.height).toBeLessThan(lane?.height ?? 0);
        }
      }),
    );
  });

  it("has every agent in one lane, and edges downwards wherever the context came earlier", () => {
    fc.assert(
      fc.property(workflows, (definition) => {
        const plan = planLanes(definition);
        const ids = plan.lanes.map((lane) => lane.id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const one of definition.agents) expect(ids).toContain(`agent:${one.key}`);
        for (const flow of plan.flows) {
          const from = plan.cards.find((card) => card.id === flow.from);
          const to = plan.cards.find((card) => card.id === flow.to);
          if (from && to && from.number < to.number) expect(from.row).toBeLessThan(to.row);
        }
      }),
    );
  });
});
