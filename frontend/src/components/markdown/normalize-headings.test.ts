// @vitest-environment node
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { normalizeHeadings } from "./normalize-headings";

/** Returns the normalized levels of headings with the given levels. */
function normalizeLevels(first: number, given: number[]): number[] {
  const children = given.map((level) => ({ type: "element", tagName: `h${level}`, children: [] }));
  normalizeHeadings(first)()({ type: "root", children });
  return children.map(({ tagName }) => Number(tagName.slice(1)));
}

test.each([
  [3, [1, 2, 3, 2, 1], [3, 4, 5, 4, 3]],
  [3, [2, 5, 5, 2], [3, 4, 4, 3]],
  [2, [4, 1, 6], [2, 2, 3]],
  [5, [1, 2, 3, 4], [5, 6, 6, 6]],
])("starting at %i, %j become %j", (first, given, expected) => {
  expect(normalizeLevels(first, given)).toEqual(expected);
});

test("skips no level and stays below the first", () => {
  const heading = fc.integer({ min: 1, max: 6 });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 4 }), fc.array(heading), (first, given) => {
      const got = normalizeLevels(first, given);
      got.forEach((level, index) => {
        expect(level).toBeGreaterThanOrEqual(first);
        expect(level).toBeLessThanOrEqual((index === 0 ? first - 1 : (got[index - 1] ?? 0)) + 1);
      });
    }),
  );
});
