// @vitest-environment node
import { describe, expect, it } from "vitest";

import { explainRunDisabled, explainSaveDisabled } from "./disabled-reasons";

describe("explainRunDisabled", () => {
  it.each([
    [false, 0, null],
    [true, 0, "Save to run"],
    [true, 2, "Fix 2 errors to run"],
    [false, 1, "Fix 1 error to run"],
  ])("changed: %s, errors: %i", (isChanged, errorCount, reason) => {
    expect(explainRunDisabled(isChanged, errorCount)).toBe(reason);
  });
});

describe("explainSaveDisabled", () => {
  it.each([
    [false, 0, "No changes to save"],
    [true, 0, null],
    [true, 1, "Fix 1 error to save. The draft is kept in this browser."],
  ])("changed: %s, errors: %i", (isChanged, errorCount, reason) => {
    expect(explainSaveDisabled(isChanged, errorCount)).toBe(reason);
  });
});
