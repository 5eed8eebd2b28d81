// @vitest-environment node
import { describe, expect, it } from "vitest";

import { sampleRun, sampleTask } from "../testing/run-fixtures";

import { exportFileName, outputsToJson, outputsToMarkdown } from "./export-outputs";

const run = sampleRun({ status: "completed", result: { raw: "Done.", tasks: {} } });
const tasks = [
  sampleTask(),
  sampleTask({ key: "sort", agent: null, result: { raw: '{"a":1}' } }),
  sampleTask({ key: "draft", result: null, status: "skipped" }),
];

describe("outputsToMarkdown", () => {
  it("contains the result and the output of each task", () => {
    expect(outputsToMarkdown(run, tasks)).toBe(
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
  });
});

describe("outputsToJson", () => {
  it("contains the result and all tasks", () => {
    const content = JSON.parse(outputsToJson(run, tasks)) as {
      result: { raw: string };
      tasks: unknown[];
    };
    expect(content.result.raw).toBe("Done.");
    expect(content.tasks).toHaveLength(3);
  });
});

describe("exportFileName", () => {
  it.each([
    ["Market research", "market-research-abcdef.md"],
    ["../../etc/passwd", "etc-passwd-abcdef.md"],
    ["日本語 レポート", "日本語-レポート-abcdef.md"],
    ["???", "run-abcdef.md"],
  ])("turns %j into %s", (workflowName, name) => {
    expect(exportFileName(sampleRun({ workflowName }), "md")).toBe(name);
  });
});
