// @vitest-environment node
import { expect, it } from "vitest";

import { usedFraction } from "./used-fraction";

it("computes the used fraction of a limit", () => {
  expect(usedFraction("0.25", "0.50")).toBe(0.5);
  expect(usedFraction(30, 20)).toBe(1);
  expect(usedFraction(null, 20)).toBeNull();
  expect(usedFraction(3, null)).toBeNull();
  expect(usedFraction(3, 0)).toBeNull();
});
