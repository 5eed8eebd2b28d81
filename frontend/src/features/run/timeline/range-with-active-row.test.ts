// @vitest-environment node
import { expect, it } from "vitest";

import { rangeWithActiveRow } from "./range-with-active-row";

it("always includes the active row", () => {
  const range = { startIndex: 10, endIndex: 12, overscan: 1, count: 100 };
  expect(rangeWithActiveRow(range, -1)).toEqual([9, 10, 11, 12, 13]);
  expect(rangeWithActiveRow(range, 3)).toEqual([3, 9, 10, 11, 12, 13]);
  expect(rangeWithActiveRow(range, 11)).toEqual([9, 10, 11, 12, 13]);
  expect(rangeWithActiveRow(range, 100)).toEqual([9, 10, 11, 12, 13]);
});
