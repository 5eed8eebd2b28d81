// @vitest-environment node
import { parse } from "yaml";
import { describe, expect, test } from "vitest";

import { renameDocument } from "./rename-document";

describe("renameDocument", () => {
  test.each([
    ["name: Old\ntasks: {}\n", "name: New 2\ntasks: {}\n"],
    ["# top\nname: Old # why\ntasks: {}\n", "# top\nname: New 2 # why\ntasks: {}\n"],
    ['name: "Old: one"\n', "name: New 2\n"],
    ["a: 1\nname: 'Old'\nb: 2\n", "a: 1\nname: New 2\nb: 2\n"],
    ["name: >\n  Old\n  and long\nb: 2\n", "name: New 2\nb: 2\n"],
    ["name:\nb: 2\n", "name: New 2\nb: 2\n"],
    ["b: 2\n", "name: New 2\nb: 2\n"],
    ["crew:\n  name: Old # why\n  b: 2\n", "crew:\n  name: New 2 # why\n  b: 2\n"],
    ["crew: {b: 2}\nworkflow: {name: Old}\n", "crew: {b: 2}\nworkflow: {name: New 2}\n"],
    ["agents:\n  name: not this\nname: Old\n", "agents:\n  name: not this\nname: New 2\n"],
    ['{"name": "Old", "b": 2}', '{"name": New 2, "b": 2}'],
  ])("%j", async (before, after) => {
    expect(await renameDocument(before, "New 2")).toBe(after);
  });

  test.each(["a: b", "- x", "#1", "yes", "1.0", "it's", 'say "hi"', "ünï"])(
    "quotes the name %j if necessary",
    async (name) => {
      const document = parse(await renameDocument("name: Old\nb: 2\n", name)) as {
        name: unknown;
        b: number;
      };
      expect(document).toEqual({ name, b: 2 });
    },
  );
});
