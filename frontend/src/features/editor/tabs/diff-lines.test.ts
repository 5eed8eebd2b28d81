import { describe, expect, test } from "vitest";

import { countsOf, hunksOf, pairsOf } from "./diff-lines";

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

describe("a unified diff", () => {
  const hunks = hunksOf(DIFF);

  test("keeps the line numbers of both sides", () => {
    expect(hunks[0]?.lines).toEqual([
      { kind: "same", before: 3, after: 3, text: "same" },
      { kind: "removed", before: 4, after: null, text: "old" },
      { kind: "added", before: null, after: 4, text: "new" },
      { kind: "added", before: null, after: 5, text: "more" },
      { kind: "same", before: 5, after: 6, text: "end" },
    ]);
  });

  test("a removed line of dashes is a line; a remark is none", () => {
    expect(hunks[1]?.lines).toEqual([
      { kind: "same", before: 20, after: 21, text: "a" },
      { kind: "removed", before: 21, after: null, text: "--- b" },
    ]);
  });

  test("says how many lines lie between its parts", () => {
    expect(hunks.map((hunk) => hunk.skipped)).toEqual([2, 14]);
  });

  test("counts what came and went", () => {
    expect(countsOf(hunks)).toEqual({ added: 2, removed: 2 });
  });

  test("an empty side begins at line 1", () => {
    const [hunk] = hunksOf("@@ -0,0 +1,1 @@\n+first\n");
    expect(hunk).toEqual({
      skipped: 0,
      lines: [{ kind: "added", before: null, after: 1, text: "first" }],
    });
  });

  test("an empty diff has no parts", () => {
    expect(hunksOf("")).toEqual([]);
  });
});

test("side by side, what was removed stands beside what came in its place", () => {
  const [hunk] = hunksOf(DIFF);
  const texts = pairsOf(hunk?.lines ?? []).map(({ before, after }) => [before?.text, after?.text]);
  expect(texts).toEqual([
    ["same", "same"],
    ["old", "new"],
    [undefined, "more"],
    ["end", "end"],
  ]);
});
