import { expect, test } from "vitest";

import {
  fileName,
  fileSize,
  jsonOf,
  markdownOf,
  outputOf,
  plainText,
  teaser,
} from "./parse-output";
import { sampleRun, sampleTask } from "../testing/run-fixtures";

test("an output's structure is what the task says it is, else what the text is", () => {
  expect(outputOf({ raw: "text", jsonOutput: { a: 1 } }).json).toEqual({ a: 1 });
  expect(outputOf({ raw: ' {"a": 1} ' }).json).toEqual({ a: 1 });
  expect(outputOf({ raw: "[1, 2]", jsonOutput: null }).json).toEqual([1, 2]);
  expect(outputOf({ raw: "{bees}" }).json).toBeUndefined();
  expect(outputOf({ raw: "42" }).json).toBeUndefined();
  expect(plainText(outputOf({ raw: '{"a":1}' }))).toBe('{\n  "a": 1\n}');
  expect(plainText(outputOf({ raw: "bees" }))).toBe("bees");
});

test.each([
  ["# Bees\n\nfly", "Bees"],
  ["\n---\n- **Bees** `fly`", "Bees fly"],
  ["", ""],
  ["> quoted", "quoted"],
  ["2 * 3", "2 * 3"],
])("the first words of %j are %j", (text, words) => {
  expect(teaser(text, 40)).toBe(words);
});

test("a run is told whole in Markdown and in JSON", () => {
  const run = sampleRun({ status: "completed", result: { raw: "Done.", tasks: {} } });
  const tasks = [
    sampleTask(),
    sampleTask({ key: "sort", agent: null, result: { raw: '{"a":1}' } }),
    sampleTask({ key: "draft", result: null, status: "skipped" }),
  ];
  expect(markdownOf(run, tasks)).toBe(
    [
      "# Market research",
      "Run run_123456abcdef, completed",
      "## Result",
      "Done.",
      "## research (researcher)",
      "Bees fly.",
      "## sort",
      '```json\n{\n  "a": 1\n}\n```\n',
    ].join("\n\n"),
  );
  const whole = JSON.parse(jsonOf(run, tasks)) as { result: { raw: string }; tasks: unknown[] };
  expect(whole.result.raw).toBe("Done.");
  expect(whole.tasks).toHaveLength(3);
});

test.each([
  ["Market research", "market-research-abcdef.md"],
  ["../../etc/passwd", "etc-passwd-abcdef.md"],
  ["日本語 レポート", "日本語-レポート-abcdef.md"],
  ["???", "run-abcdef.md"],
])("the file of %j is %s", (workflowName, name) => {
  expect(fileName(sampleRun({ workflowName }), "md")).toBe(name);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1 kB"],
  [13_600, "13.6 kB"],
  [2_000_000, "2 MB"],
])("%i bytes are %s", (bytes, words) => {
  expect(fileSize(bytes)).toBe(words);
});
