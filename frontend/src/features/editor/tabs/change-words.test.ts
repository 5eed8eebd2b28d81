import { expect, test } from "vitest";

import { changeWords, valueWords } from "./change-words";

test.each([
  ["agents.writer.goal", "changed", "Agent writer: goal changed"],
  ["agents.writer", "added", "Agent writer added"],
  [
    "agents.writer.model.settings.maxTokens",
    "added",
    "Agent writer: model, settings, max tokens added",
  ],
  ["tasks.draft", "removed", "Task draft removed"],
  ["tasks", "moved", "Tasks put in another order"],
  ["inputs.topic.default", "changed", "Input topic: default changed"],
  ["budget.maxLlmCalls", "added", "Budget, max llm calls added"],
  ["description", "changed", "Description changed"],
] as const)("%s %s", (path, kind, words) => {
  expect(changeWords({ path, kind, before: null, after: null })).toBe(words);
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
])("the value %j in words is %j", (value, words) => {
  expect(valueWords(value)).toBe(words);
});
