import { describe, expect, it } from "vitest";

import type { YamlProblem } from "@/lib/api/types";

import { carriedOver, merged, placed, type EditorProblem } from "./problems";

const served = (line: number, column: number, code = "x"): YamlProblem => ({
  line,
  column,
  code,
  path: "",
  message: "m",
  severity: "error",
});
const found = (
  from: number,
  to: number,
  code: string,
  source: EditorProblem["source"] = "browser",
): EditorProblem => ({
  from,
  to,
  code,
  source,
  line: 1,
  message: code,
  severity: "error",
});

const under = (text: string, line: number, column: number) =>
  placed([served(line, column)], text).map(({ from, to }) => text.slice(from, to))[0];

describe("the server's places", () => {
  it("underline a key, a quoted text, an item, a plain value", () => {
    expect(under("a: b\nkey: value here # c\n", 2, 1)).toBe("key");
    expect(under("key: value here # c\n", 1, 6)).toBe("value here");
    expect(under("key: 'it''s' # c\n", 1, 6)).toBe("'it''s'");
    expect(under("key: [a, b c]\n", 1, 10)).toBe("b c");
  });

  it("count characters, not halves of them", () => {
    expect(under("k: [😀, bad]\n", 1, 8)).toBe("bad");
  });

  it("stand at the start when there is no text", () => {
    expect(placed([served(0, 0)], "")[0]).toMatchObject({ from: 0, line: 1 });
  });
});

describe("carrying over", () => {
  it("keeps what stands before a change, moves what stands behind, drops what it touches", () => {
    const older = "aaa\nbbb\nccc\n";
    const problems = [found(0, 2, "before"), found(4, 7, "in"), found(8, 11, "behind")];

    const newer = "aaa\nbXXXb\nccc\n";
    expect(
      carriedOver(problems, older, newer).map(({ code, from, line }) => [code, from, line]),
    ).toEqual([
      ["before", 0, 1],
      ["behind", 10, 3],
    ]);
    expect(carriedOver(problems, older, older)).toBe(problems);
  });

  it("counts lines anew", () => {
    const [moved] = carriedOver([found(4, 7, "x")], "aaa\nbbb\n", "\n\naaa\nbbb\n");
    expect(moved).toMatchObject({ from: 6, to: 9, line: 4 });
  });
});

describe("merging", () => {
  const browser = [found(0, 3, "unknown-key"), found(5, 8, "unknown-agent")];

  it("lets the server judge the text it has seen", () => {
    const server = { text: "t", problems: [found(5, 8, "unknown-agent", "server")] };

    expect(merged(browser, server, "t").map((one) => one.source)).toEqual(["server"]);
    expect(merged(browser, { text: "t", problems: [] }, "t")).toEqual([]);
  });

  it("adds of an older report only what the browser cannot know", () => {
    const text = "0123456789";
    const server = {
      text: `${text}x`,
      problems: [
        found(1, 2, "unknown-key", "server"),
        found(6, 7, "model-not-registered", "server"),
      ],
    };

    expect(merged(browser, server, text).map((one) => one.code)).toEqual([
      "unknown-key",
      "model-not-registered",
    ]);
  });

  it("is the browser's word alone while nobody else has spoken", () => {
    expect(merged(browser, null, "t")).toEqual(browser);
  });
});
