// @vitest-environment node
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { tokenizeYaml } from "./tokenize-yaml";

const kinds = (text: string) =>
  tokenizeYaml(text).map((line) => line.map(({ kind, text: token }) => [kind, token]));

describe("tokenizeYaml", () => {
  test.each([
    [
      "name: Daily",
      [
        ["key", "name"],
        ["plain", ":"],
        ["text", " Daily"],
      ],
    ],
    [
      "  max: 3",
      [
        ["plain", "  "],
        ["key", "max"],
        ["plain", ":"],
        ["number", " 3"],
      ],
    ],
    ["# a: b", [["comment", "# a: b"]]],
    [
      "a: b # why",
      [
        ["key", "a"],
        ["plain", ":"],
        ["text", " b "],
        ["comment", "# why"],
      ],
    ],
    [
      'a: "b # no"',
      [
        ["key", "a"],
        ["plain", ":"],
        ["text", ' "b # no"'],
      ],
    ],
    [
      "a: b#c",
      [
        ["key", "a"],
        ["plain", ":"],
        ["text", " b#c"],
      ],
    ],
    [
      "url: http://x",
      [
        ["key", "url"],
        ["plain", ":"],
        ["text", " http://x"],
      ],
    ],
    ["- true", [["number", "- true"]]],
    ["", []],
  ])("%j", (text, expected) => {
    expect(kinds(text)).toEqual([expected]);
  });

  test("treats a block text as text until its indentation ends", () => {
    expect(kinds("a: |\n  b: 1\n\n  # no\nc: 2").map((line) => line[0]?.[0])).toEqual([
      "key",
      "text",
      "text",
      "text",
      "key",
    ]);
  });

  test("never changes the text", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (lines) => {
        const text = lines.join("\n");
        const back = tokenizeYaml(text).map((line) => line.map((token) => token.text).join(""));
        expect(back.join("\n")).toBe(text);
      }),
    );
  });
});
