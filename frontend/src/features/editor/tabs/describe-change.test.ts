// @vitest-environment node
import { expect, test } from "vitest";

import { describeChange, formatValue } from "./describe-change";

test.each([
  ["agents.writer.goal", "changed", "Agent writer: goal changed"],
  ["agents.writer", "added", "Agent writer added"],
  [
    "agents.writer.model.settings.maxTokens",
    "added",
    "Agent writer: model, settings, max tokens added",
  ],
  ["tasks.draft", "removed", "Task draft removed"],
  ["tasks", "moved", "Tasks reordered"],
  ["inputs.topic.default", "changed", "Input topic: default changed"],
  ["budget.maxLlmCalls", "added", "Budget, max llm calls added"],
  ["description", "changed", "Description changed"],
] as const)("describeChange: %s %s", (path, kind, description) => {
  expect(describeChange({ path, kind, before: null, after: null })).toBe(description);
});

test.each([
  [null, null],
  ["a", "a"],
  ["", "empty"],
  [["a", "b"], "a, b"],
  [[], "none"],
  [3, "3"],
  [false, "false"],
  [{ a: 1 }, null],
  [[{ a: 1 }], null],
])("formatValue(%j) is %j", (value, formatted) => {
  expect(formatValue(value)).toBe(formatted);
});
