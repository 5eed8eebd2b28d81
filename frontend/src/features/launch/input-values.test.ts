import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { InputDefinition } from "@/lib/api/types";

import {
  asJson,
  foreignInputs,
  fromJson,
  givenInputs,
  problemOf,
  readInput,
  shownInputs,
  unshowable,
} from "./input-values";

function input(fields: Partial<InputDefinition> = {}): InputDefinition {
  return { name: "x", type: "string", required: true, ...fields };
}

describe("what the form shows at first", () => {
  test.each([
    [{ type: "string", default: "bees" }, undefined, "bees"],
    [{ type: "string" }, undefined, ""],
    [{ type: "integer", default: 3 }, undefined, "3"],
    [{ type: "number", default: 0.5 }, 2, "2"],
    [{ type: "boolean", default: true }, undefined, true],
    [{ type: "boolean", default: true }, false, false],
    [{ type: "boolean" }, undefined, false],
    [{ enum: ["a", "b"], default: "b" }, undefined, '"b"'],
    [{ enum: ["a", "b"] }, undefined, ""],
    [{ type: "integer", enum: [1, 2] }, 2, "2"],
  ] as const)("%j given %j is %j", (fields, given, shown) => {
    const known = input(fields as Partial<InputDefinition>);
    expect(shownInputs([known], given === undefined ? {} : { x: given })).toEqual({ x: shown });
  });
});

describe("what a control stands for", () => {
  test.each([
    [{ type: "integer" }, "12", { value: 12 }],
    [{ type: "integer" }, " -7 ", { value: -7 }],
    [{ type: "integer" }, "1.5", { problem: "Enter a whole number." }],
    [{ type: "integer" }, "abc", { problem: "Enter a number, such as 12." }],
    [{ type: "integer" }, "0x10", { problem: "Enter a number, such as 12." }],
    [{ type: "integer" }, "9007199254740992", { problem: "This number is too large." }],
    [{ type: "number" }, ".5", { value: 0.5 }],
    [{ type: "number" }, "1e3", { value: 1000 }],
    [{ type: "number" }, "1,5", { problem: "Enter a number, such as 12 or 0.5." }],
    [{ type: "number" }, "Infinity", { problem: "Enter a number, such as 12 or 0.5." }],
    [{ type: "number" }, "", { problem: "This is required." }],
    [{ type: "number", required: false }, "", "left out"],
    [{ type: "number", default: 4 }, "", "left out"],
    [{ type: "string" }, "  ", { problem: "This is required." }],
    [{ type: "string" }, " a ", { value: " a " }],
    [{ type: "string", required: false }, "", "left out"],
    // An emptied text with a default means nothing, not the default again.
    [{ type: "text", required: false, default: "news" }, "", { value: "" }],
    [{ type: "boolean" }, false, { value: false }],
    [{ enum: ["a", 1] }, '"a"', { value: "a" }],
    [{ enum: ["a", 1] }, "1", { value: 1 }],
    [{ enum: ["a"] }, '"z"', { problem: "Choose one of the listed values." }],
    [{ enum: ["a"] }, "", { problem: "This is required." }],
  ] as const)("%j with %j", (fields, content, read) => {
    expect(readInput(input(fields as unknown as Partial<InputDefinition>), content)).toEqual(read);
  });

  test("no problem is `true`, as the form wants it", () => {
    expect(problemOf(input(), "a")).toBe(true);
    expect(problemOf(input(), "")).toBe("This is required.");
  });
});

test("every value of its type comes back from the form as it was", () => {
  const kinds = fc.oneof(
    fc.record({ type: fc.constant("string"), value: fc.string({ minLength: 1 }) }),
    fc.record({ type: fc.constant("text"), value: fc.string({ minLength: 1 }) }),
    fc.record({ type: fc.constant("integer"), value: fc.integer() }),
    fc.record({
      type: fc.constant("number"),
      value: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
    }),
    fc.record({ type: fc.constant("boolean"), value: fc.boolean() }),
  );
  fc.assert(
    fc.property(kinds, ({ type, value }) => {
      fc.pre(typeof value !== "string" || value.trim() !== "");
      const known = [input({ type: type as InputDefinition["type"] })];
      const back = givenInputs(known, shownInputs(known, { x: value }));
      expect(back).toEqual({ x: Object.is(value, -0) ? 0 : value });
    }),
  );
});

describe("the JSON view", () => {
  const inputs = [
    input({ name: "topic" }),
    input({ name: "count", type: "integer", required: false, default: 3 }),
    input({ name: "publish", type: "boolean" }),
  ];

  test("shows values by their types, defaults where nothing is given, and what cannot be read as it stands", () => {
    const text = asJson(inputs, { topic: "", count: "many", publish: true });
    expect(JSON.parse(text)).toEqual({ topic: null, count: "many", publish: true });
    expect(JSON.parse(asJson(inputs, { topic: "a", count: "", publish: false }))).toEqual({
      topic: "a",
      count: 3,
      publish: false,
    });
  });

  test("an empty text is no inputs, null is not given", () => {
    expect(fromJson("")).toEqual({ given: {} });
    expect(fromJson('{"a": null, "b": 0}')).toEqual({ given: { b: 0 } });
  });

  test.each(["[1]", "1", "null", '"a"'])("%s is no object", (text) => {
    expect(fromJson(text)).toEqual({ problem: 'The inputs are one object: { "name": value }.' });
  });

  test("says what is wrong with text that is no JSON", () => {
    const read = fromJson("{topic: 1}");
    expect("problem" in read && read.problem).toMatch(/^This is not valid JSON: /);
  });

  test("is not left for a form that would change what it says", () => {
    expect(unshowable(inputs, { topic: "a", count: 4, publish: true })).toEqual([]);
    expect(unshowable(inputs, { topic: { a: 1 }, count: true, publish: "yes", other: 1 })).toEqual([
      "“topic” must be text.",
      "“count” must be a whole number.",
      "“publish” must be true or false.",
      "“other” is not an input of this workflow.",
    ]);
  });
});

test("earlier inputs that are no longer asked for are named", () => {
  expect(foreignInputs([input({ name: "a" })], { a: 1, b: 2 })).toEqual(["b"]);
});
