// @vitest-environment node
import { describe, expect, it } from "vitest";

import { listChanges, parseArguments } from "./tool-arguments";

describe("parseArguments", () => {
  it("accepts an object only", () => {
    expect(parseArguments('{"to": "ann"}').value).toEqual({ to: "ann" });
    expect(parseArguments("[1]").value).toBeNull();
    expect(parseArguments("null").error).toMatch(/JSON object/);
    expect(parseArguments("{").error).toMatch(/not JSON/);
  });
});

describe("listChanges", () => {
  it("names what was changed, added and removed", () => {
    expect(listChanges({ a: 1, b: 2, c: 3 }, { a: 1, b: "x", d: true })).toEqual([
      { name: "b", before: "2", after: '"x"' },
      { name: "c", before: "3", after: null },
      { name: "d", before: null, after: "true" },
    ]);
  });
});
