// @vitest-environment node
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { InputDefinition } from "@/lib/api/types";

import {
  toJson,
  findRemovedInputs,
  parseJson,
  toRunInputs,
  validateInput,
  parseInput,
  toFormValues,
  findUnsupportedInputs,
} from "./input-values";

function input(fields: Partial<InputDefinition> = {}): InputDefinition {
  return { name: "x", type: "string", required: true, ...fields };
}

describe("toFormValues", () => {
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
    [{ type: "array", default: [1, "a"] }, undefined, '[1,"a"]'],
    [{ type: "any" }, "tea", "tea"],
    [{ type: "any" }, "12", '"12"'],
    [{ type: "any" }, { a: 1 }, '{"a":1}'],
  ] as const)("%j given %j is %j", (fields, given, shown) => {
    const known = input(fields as Partial<InputDefinition>);
    expect(toFormValues([known], given === undefined ? {} : { x: given })).toEqual({ x: shown });
  });
});

describe("parseInput", () => {
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
    [{ type: "number", required: false }, "", "omitted"],
    [{ type: "number", default: 4 }, "", "omitted"],
    [{ type: "string" }, "  ", { problem: "This is required." }],
    [{ type: "string" }, " a ", { value: " a " }],
    [{ type: "string", required: false }, "", "omitted"],
    // An emptied text with a default is an empty text, not the default.
    [{ type: "text", required: false, default: "news" }, "", { value: "" }],
    [{ type: "boolean" }, false, { value: false }],
    [{ type: "any" }, "green tea", { value: "green tea" }],
    [{ type: "any" }, "12", { value: 12 }],
    [{ type: "any" }, "true", { value: true }],
    [{ type: "any" }, ' {"a": [1]} ', { value: { a: [1] } }],
    [{ type: "any" }, '"12"', { value: "12" }],
    [{ type: "any" }, "1.10", { value: "1.10" }],
    [{ type: "any" }, "12345678901234567890", { value: "12345678901234567890" }],
    [{ type: "any" }, "{topic}", { value: "{topic}" }],
    [{ type: "any" }, "null", { value: "null" }],
    [{ type: "array" }, "[1, 2]", { value: [1, 2] }],
    [{ type: "array" }, "1, 2", { problem: 'Enter a JSON list, such as ["a", 2].' }],
    [{ type: "array", default: [1] }, "", "omitted"],
    [{ type: "object" }, '{"a": 1}', { value: { a: 1 } }],
    [{ type: "object" }, "[1]", { problem: 'Enter a JSON object, such as {"name": "Ann"}.' }],
    [{ enum: ["a", 1] }, '"a"', { value: "a" }],
    [{ enum: ["a", 1] }, "1", { value: 1 }],
    [{ enum: ["a"] }, '"z"', { problem: "Choose one of the listed values." }],
    [{ enum: ["a"] }, "", { problem: "This is required." }],
  ] as const)("%j with %j", (fields, content, read) => {
    expect(parseInput(input(fields as unknown as Partial<InputDefinition>), content)).toEqual(read);
  });

  test("validateInput returns true or the error", () => {
    expect(validateInput(input(), "a")).toBe(true);
    expect(validateInput(input(), "")).toBe("This is required.");
  });
});

test("toRunInputs restores the values given to toFormValues", () => {
  const kinds = fc.oneof(
    fc.record({ type: fc.constant("string"), value: fc.string({ minLength: 1 }) }),
    fc.record({ type: fc.constant("text"), value: fc.string({ minLength: 1 }) }),
    fc.record({ type: fc.constant("integer"), value: fc.integer() }),
    fc.record({
      type: fc.constant("number"),
      value: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
    }),
    fc.record({ type: fc.constant("boolean"), value: fc.boolean() }),
    fc.record({ type: fc.constant("any"), value: fc.jsonValue() }),
    fc.record({ type: fc.constant("array"), value: fc.array(fc.jsonValue()) }),
  );
  fc.assert(
    fc.property(kinds, ({ type, value }) => {
      fc.pre(value !== null && (typeof value !== "string" || value.trim() !== ""));
      const known = [input({ type: type as InputDefinition["type"] })];
      const back = toRunInputs(known, toFormValues(known, { x: value }));
      expect(back).toEqual({ x: Object.is(value, -0) ? 0 : value });
    }),
  );
});

describe("JSON view", () => {
  const inputs = [
    input({ name: "topic" }),
    input({ name: "count", type: "integer", required: false, default: 3 }),
    input({ name: "publish", type: "boolean" }),
  ];

  test("shows typed values, defaults and invalid values", () => {
    const text = toJson(inputs, { topic: "", count: "many", publish: true });
    expect(JSON.parse(text)).toEqual({ topic: null, count: "many", publish: true });
    expect(JSON.parse(toJson(inputs, { topic: "a", count: "", publish: false }))).toEqual({
      topic: "a",
      count: 3,
      publish: false,
    });
  });

  test("omits null members, and accepts an empty text", () => {
    expect(parseJson("")).toEqual({ given: {} });
    expect(parseJson('{"a": null, "b": 0}')).toEqual({ given: { b: 0 } });
  });

  test.each(["[1]", "1", "null", '"a"'])("rejects %s", (text) => {
    expect(parseJson(text)).toEqual({ problem: 'Enter a JSON object: { "name": value }.' });
  });

  test("explains invalid JSON", () => {
    const parsed = parseJson("{topic: 1}");
    expect("problem" in parsed && parsed.problem).toMatch(/^Invalid JSON: /);
  });

  test("findUnsupportedInputs explains what the form cannot show", () => {
    expect(findUnsupportedInputs(inputs, { topic: "a", count: 4, publish: true })).toEqual([]);
    expect(
      findUnsupportedInputs(inputs, { topic: { a: 1 }, count: true, publish: "yes", other: 1 }),
    ).toEqual([
      "“topic” must be text.",
      "“count” must be a whole number.",
      "“publish” must be true or false.",
      "“other” is not an input of this workflow.",
    ]);
  });
});

test("findRemovedInputs lists earlier inputs that the workflow no longer has", () => {
  expect(findRemovedInputs([input({ name: "a" })], { a: 1, b: 2 })).toEqual(["b"]);
});
