// @vitest-environment node
import { describe, expect, test } from "vitest";

import { buildRunRequest } from "./build-run-request";
import {
  findFormField,
  toBudget,
  toMetadata,
  createLaunchValues,
  validateLimit,
  LIMITS,
  type Limit,
} from "./launch-values";

const inputs = [{ name: "topic", type: "string", required: true } as const];

function findLimit(name: string): Limit {
  const found = LIMITS.find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
}

describe("budget", () => {
  test.each([
    ["maxCost", "", true],
    ["maxCost", "0.05", true],
    ["maxCost", "0", "Enter a number greater than 0."],
    ["maxCost", "-1", "Enter a number, or leave it empty."],
    ["maxCost", "$1", "Enter a number, or leave it empty."],
    ["maxTokens", "1000", true],
    ["maxTokens", "10.5", "Enter a whole number."],
    ["maxLlmCalls", "99999999999", "This limit is too large."],
    ["maxSeconds", "2.5", true],
  ])("%s %j: %s", (name, content, problem) => {
    expect(validateLimit(findLimit(name), content)).toBe(problem);
  });

  test("toBudget contains only set limits, money as text", () => {
    const none = createLaunchValues(inputs).budget;
    expect(toBudget(none)).toBeNull();
    expect(toBudget({ ...none, maxCost: " 0.10 ", maxLlmCalls: "5" })).toEqual({
      maxCost: "0.10",
      maxLlmCalls: 5,
    });
  });
});

test("toMetadata omits rows without a key", () => {
  const rows = [
    { key: " ticket ", value: "42" },
    { key: " ", value: "lost" },
  ];
  expect(toMetadata(rows)).toEqual({ ticket: "42" });
});

test.each([
  ["/inputs/topic", "inputs.topic"],
  ["/inputs/other", null],
  ["/budget/maxCost", "budget.maxCost"],
  ["/budget/other", null],
  ["/metadata/a", null],
  ["", null],
])("findFormField(%j) is %j", (pointer, field) => {
  expect(findFormField(pointer, inputs)).toBe(field);
});

describe("buildRunRequest", () => {
  const target = { source: { workflowId: "wf_1" }, version: 3, inputs };

  test("uses the form values, or the JSON as it was entered", () => {
    const values = {
      ...createLaunchValues(inputs, { topic: "bees" }),
      json: '{"topic": "tea", "other": 1}',
    };
    const rest = { workflowId: "wf_1", version: 3, budget: null, metadata: {} };
    expect(buildRunRequest(target, values, "form")).toEqual({ ...rest, inputs: { topic: "bees" } });
    expect(buildRunRequest(target, values, "json")).toEqual({
      ...rest,
      inputs: { topic: "tea", other: 1 },
    });
  });

  test("names the project instead of a workflow", () => {
    const project = { ...target, source: { projectId: "prj_1" } };
    const request = buildRunRequest(project, createLaunchValues(inputs), "form");
    expect(request).toMatchObject({ projectId: "prj_1", version: 3 });
    expect(request).not.toHaveProperty("workflowId");
  });

  test("reports invalid JSON", () => {
    const broken = { ...createLaunchValues(inputs), json: "{" };
    expect(buildRunRequest(target, broken, "json")).toHaveProperty("problem");
  });
});
