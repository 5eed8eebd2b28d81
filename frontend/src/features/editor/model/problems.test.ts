// @vitest-environment node
import { describe, expect, it } from "vitest";

import type { YamlProblem } from "@/lib/api/types";

import { locateProblems, rebaseProblems, selectProblems, type EditorProblem } from "./problems";

const serverProblem = (line: number, column: number): YamlProblem => ({
  line,
  column,
  code: "x",
  path: "",
  message: "m",
  severity: "error",
});
const problem = (from: number, to: number, message: string): EditorProblem => ({
  from,
  to,
  message,
  line: 1,
  severity: "error",
});

const textAt = (text: string, line: number, column: number) =>
  locateProblems([serverProblem(line, column)], text).map(({ from, to }) =>
    text.slice(from, to),
  )[0];

describe("locateProblems", () => {
  it("finds a key, a quoted text, an item and a plain value", () => {
    expect(textAt("a: b\nkey: value here # c\n", 2, 1)).toBe("key");
    expect(textAt("key: value here # c\n", 1, 6)).toBe("value here");
    expect(textAt("key: 'it''s' # c\n", 1, 6)).toBe("'it''s'");
    expect(textAt("key: [a, b c]\n", 1, 10)).toBe("b c");
  });

  it("counts code points in columns", () => {
    expect(textAt("k: [😀, bad]\n", 1, 8)).toBe("bad");
  });

  it("starts at 0 when there is no text", () => {
    expect(locateProblems([serverProblem(0, 0)], "")[0]).toMatchObject({ from: 0, line: 1 });
  });
});

describe("rebaseProblems", () => {
  it("keeps problems before an edit, moves those after it and drops those inside it", () => {
    const older = "aaa\nbbb\nccc\n";
    const problems = [problem(0, 2, "before"), problem(4, 7, "inside"), problem(8, 11, "after")];

    const newer = "aaa\nbXXXb\nccc\n";
    expect(
      rebaseProblems(problems, older, newer).map(({ message, from, line }) => [
        message,
        from,
        line,
      ]),
    ).toEqual([
      ["before", 0, 1],
      ["after", 10, 3],
    ]);
    expect(rebaseProblems(problems, older, older)).toBe(problems);
  });

  it("updates line numbers", () => {
    const [moved] = rebaseProblems([problem(4, 7, "x")], "aaa\nbbb\n", "\n\naaa\nbbb\n");
    expect(moved).toMatchObject({ from: 6, to: 9, line: 4 });
  });
});

describe("selectProblems", () => {
  const syntax = [problem(0, 3, "syntax")];

  it("prefers the server's report on the same text, by position", () => {
    const report = { text: "t", problems: [problem(5, 8, "second"), problem(1, 2, "first")] };

    expect(selectProblems(syntax, report, "t").map((one) => one.message)).toEqual([
      "first",
      "second",
    ]);
    expect(selectProblems(syntax, { text: "t", problems: [] }, "t")).toEqual([]);
  });

  it("shows syntax errors until the report arrives", () => {
    const report = { text: "older", problems: [problem(0, 1, "server")] };

    expect(selectProblems(syntax, report, "newer text")).toEqual(syntax);
    expect(selectProblems(syntax, null, "t")).toEqual(syntax);
  });

  it("keeps the problems of the previous report that the edit has not touched", () => {
    const report = { text: "0123456789x", problems: [problem(1, 2, "kept")] };

    expect(selectProblems([], report, "0123456789").map((one) => one.message)).toEqual(["kept"]);
  });
});
