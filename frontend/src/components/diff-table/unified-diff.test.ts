// @vitest-environment node
import { describe, expect, test } from "vitest";

import { countChangedLines, pairLines, parseUnifiedDiff } from "./unified-diff";

const DIFF = `--- version 1
+++ version 2
@@ -3,4 +3,5 @@
 same
-old
+new
+more
 end
@@ -20,2 +21,1 @@
 a
---- b
\\ No newline at end of file
`;

describe("parseUnifiedDiff", () => {
  const hunks = parseUnifiedDiff(DIFF);

  test("keeps the line numbers of both sides", () => {
    expect(hunks[0]?.lines).toEqual([
      { kind: "same", before: 3, after: 3, text: "same" },
      { kind: "removed", before: 4, after: null, text: "old" },
      { kind: "added", before: null, after: 4, text: "new" },
      { kind: "added", before: null, after: 5, text: "more" },
      { kind: "same", before: 5, after: 6, text: "end" },
    ]);
  });

  test("reads a removed line that starts with dashes, and ignores the newline marker", () => {
    expect(hunks[1]?.lines).toEqual([
      { kind: "same", before: 20, after: 21, text: "a" },
      { kind: "removed", before: 21, after: null, text: "--- b" },
    ]);
  });

  test("counts the unchanged lines between hunks", () => {
    expect(hunks.map((hunk) => hunk.skipped)).toEqual([2, 14]);
  });

  test("counts added and removed lines", () => {
    expect(countChangedLines(hunks)).toEqual({ added: 2, removed: 2 });
  });

  test("starts an empty side at line 1", () => {
    const [hunk] = parseUnifiedDiff("@@ -0,0 +1,1 @@\n+first\n");
    expect(hunk).toEqual({
      skipped: 0,
      lines: [{ kind: "added", before: null, after: 1, text: "first" }],
    });
  });

  test("has no hunks for an empty diff", () => {
    expect(parseUnifiedDiff("")).toEqual([]);
  });
});

test("pairLines puts a removed line beside the line added in its place", () => {
  const [hunk] = parseUnifiedDiff(DIFF);
  const texts = pairLines(hunk?.lines ?? []).map(({ before, after }) => [
    before?.text,
    after?.text,
  ]);
  expect(texts).toEqual([
    ["same", "same"],
    ["old", "new"],
    [undefined, "more"],
    ["end", "end"],
  ]);
});
