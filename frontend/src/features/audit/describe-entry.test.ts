import { describe, expect, it } from "vitest";

import { describeOperation, formatValue } from "./describe-entry";

describe("describeOperation", () => {
  it.each([
    ["providers:update_provider", "Update provider"],
    ["command:user-create", "Command: user create"],
    ["authenticate", "Use an API key"],
  ])("%s", (operation, words) => {
    expect(describeOperation(operation)).toBe(words);
  });
});

describe("formatValue", () => {
  it("shows false, which is a value", () => {
    expect([null, false, ["a"]].map(formatValue)).toEqual(["–", "false", '["a"]']);
  });
});
