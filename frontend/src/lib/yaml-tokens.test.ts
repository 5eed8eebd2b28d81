import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { yamlTokens } from "./yaml-tokens";

const kinds = (text: string) =>
  yamlTokens(text).map((line) => line.map(({ kind, text: piece }) => [kind, piece]));

describe("the colours of a YAML text", () => {
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

  test("a block text is text, keys in it too, until the indentation ends", () => {
    expect(kinds("a: |\n  b: 1\n\n  # no\nc: 2").map((line) => line[0]?.[0])).toEqual([
      "key",
      "text",
      "text",
      "text",
      "key",
    ]);
  });

  test("never change the text", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (lines) => {
        const text = lines.join("\n");
        const back = yamlTokens(text).map((line) => line.map((token) => token.text).join(""));
        expect(back.join("\n")).toBe(text);
      }),
    );
  });
});
