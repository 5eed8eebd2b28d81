import { describe, expect, test } from "vitest";

import { launchOf } from "./launch-of";
import {
  fieldAt,
  givenBudget,
  givenMetadata,
  launchValues,
  limitProblem,
  LIMITS,
  type Limit,
} from "./launch-values";

const inputs = [{ name: "topic", type: "string", required: true } as const];

function limit(name: string): Limit {
  const found = LIMITS.find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
}

describe("limits", () => {
  test.each([
    ["maxCost", "", true],
    ["maxCost", "0.05", true],
    ["maxCost", "0", "A limit is more than 0."],
    ["maxCost", "-1", "Enter a number, or leave it empty."],
    ["maxCost", "$1", "Enter a number, or leave it empty."],
    ["maxTokens", "1000", true],
    ["maxTokens", "10.5", "Enter a whole number."],
    ["maxLlmCalls", "99999999999", "This limit is too large."],
    ["maxSeconds", "2.5", true],
  ])("%s %j: %s", (name, content, problem) => {
    expect(limitProblem(limit(name), content)).toBe(problem);
  });

  test("only what is set is sent; money as text", () => {
    const none = launchValues(inputs).budget;
    expect(givenBudget(none)).toBeNull();
    expect(givenBudget({ ...none, maxCost: " 0.10 ", maxLlmCalls: "5" })).toEqual({
      maxCost: "0.10",
      maxLlmCalls: 5,
    });
  });
});

test("metadata without a key is left out", () => {
  const rows = [
    { key: " ticket ", value: "42" },
    { key: " ", value: "lost" },
  ];
  expect(givenMetadata(rows)).toEqual({ ticket: "42" });
});

test.each([
  ["/inputs/topic", "inputs.topic"],
  ["/inputs/other", null],
  ["/budget/maxCost", "budget.maxCost"],
  ["/budget/other", null],
  ["/metadata/a", null],
  ["", null],
])("pointer %j leads to %j", (pointer, field) => {
  expect(fieldAt(pointer, inputs)).toBe(field);
});

describe("the request", () => {
  const subject = { workflowId: "wf_1", version: 3, inputs };

  test("is read from the form, or from the JSON as it was written", () => {
    const values = {
      ...launchValues(inputs, { topic: "bees" }),
      json: '{"topic": "tea", "other": 1}',
    };
    const rest = { workflowId: "wf_1", version: 3, budget: null, metadata: {} };
    expect(launchOf(subject, values, "form")).toEqual({ ...rest, inputs: { topic: "bees" } });
    expect(launchOf(subject, values, "json")).toEqual({
      ...rest,
      inputs: { topic: "tea", other: 1 },
    });
  });

  test("is not made of broken JSON", () => {
    const broken = { ...launchValues(inputs), json: "{" };
    expect(launchOf(subject, broken, "json")).toHaveProperty("problem");
  });
});
