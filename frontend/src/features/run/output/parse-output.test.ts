// @vitest-environment node
import { describe, expect, it } from "vitest";

import { outputToText, parseOutput, previewMarkdown } from "./parse-output";

describe("parseOutput", () => {
  it("uses the task's JSON output, else JSON found in the text", () => {
    expect(parseOutput({ raw: "text", jsonOutput: { a: 1 } }).json).toEqual({ a: 1 });
    expect(parseOutput({ raw: ' {"a": 1} ' }).json).toEqual({ a: 1 });
    expect(parseOutput({ raw: "[1, 2]", jsonOutput: null }).json).toEqual([1, 2]);
    expect(parseOutput({ raw: "{bees}" }).json).toBeUndefined();
    expect(parseOutput({ raw: "42" }).json).toBeUndefined();
  });
});

describe("outputToText", () => {
  it("indents JSON and keeps text", () => {
    expect(outputToText(parseOutput({ raw: '{"a":1}' }))).toBe('{\n  "a": 1\n}');
    expect(outputToText(parseOutput({ raw: "bees" }))).toBe("bees");
  });
});

describe("previewMarkdown", () => {
  it.each([
    ["# Bees\n\nfly", "Bees"],
    ["\n---\n- **Bees** `fly`", "Bees fly"],
    ["", ""],
    ["> quoted", "quoted"],
    ["2 * 3", "2 * 3"],
  ])("shortens %j to %j", (text, expected) => {
    expect(previewMarkdown(text, 40)).toBe(expected);
  });
});
