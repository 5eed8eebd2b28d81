// @vitest-environment node
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  barHeight,
  labelIndexes,
  linePath,
  slotCentre,
  slotIndexAt,
  barSlot,
  axisTicks,
} from "./scale";

const at = (x: number) => ({ x, y: 1 });

describe("axisTicks", () => {
  it.each([
    [10, [0, 5, 10]],
    [7, [0, 5, 10]],
    [3, [0, 1, 2, 3]],
    [0.031, [0, 0.02, 0.04]],
    [1200, [0, 500, 1000, 1500]],
  ])("are round values for a maximum of %d", (max, expected) => {
    expect(axisTicks(max)).toEqual(expected);
  });

  it.each([
    [1, [0, 1]],
    [2, [0, 1, 2]],
    [4, [0, 2, 4]],
  ])("are integers when asked for: %d", (max, expected) => {
    expect(axisTicks(max, 3, true)).toEqual(expected);
  });

  it.each([0, -1, Number.NaN])("fall back to 0 and 1 for %d", (max) => {
    expect(axisTicks(max)).toEqual([0, 1]);
  });

  it("start at 0 and reach the maximum without leaving half of the plot empty", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), fc.boolean(), (max, whole) => {
        const found = axisTicks(max, 3, whole);
        const last = found.at(-1) ?? 0;
        expect(found[0]).toBe(0);
        expect(last).toBeGreaterThanOrEqual(max * (1 - 1e-6));
        expect(found.length).toBeLessThanOrEqual(5);
        if (whole) expect(found.every(Number.isInteger)).toBe(true);
        else expect(last).toBeLessThanOrEqual(max * 2.5);
      }),
    );
  });
});

describe("barHeight", () => {
  it("is proportional and limited to the plot", () => {
    expect(barHeight(5, 10, 100)).toBe(50);
    expect(barHeight(20, 10, 100)).toBe(100);
    expect(barHeight(-1, 10, 100)).toBe(0);
    expect(barHeight(1, 0, 100)).toBe(0);
  });
});

describe("barSlot", () => {
  it("keeps every bar inside the width without overlap", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 200, max: 1600 }),
        (count, width) => {
          const slots = Array.from({ length: count }, (_, index) => barSlot(index, count, width));
          for (const [index, one] of slots.entries()) {
            expect(one.x).toBeGreaterThanOrEqual(0);
            expect(one.x + one.width).toBeLessThanOrEqual(slots[index + 1]?.x ?? width);
          }
        },
      ),
    );
  });

  it("is centred in its slot when the width of the bar is limited", () => {
    const { x, width } = barSlot(0, 2, 400);
    expect(x + width / 2).toBe(slotCentre(0, 2, 400));
  });
});

describe("slotIndexAt", () => {
  it("is the inverse of slotCentre", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 2000 }),
        (count, width) => {
          for (let index = 0; index < count; index += 1) {
            expect(slotIndexAt(slotCentre(index, count, width), count, width)).toBe(index);
          }
        },
      ),
    );
  });

  it("is limited to the points when the pointer is outside", () => {
    expect(slotIndexAt(-5, 10, 100)).toBe(0);
    expect(slotIndexAt(500, 10, 100)).toBe(9);
    expect(slotIndexAt(5, 10, 0)).toBe(0);
  });
});

describe("labelIndexes", () => {
  it("keeps a gap between labels", () => {
    expect(labelIndexes(24, 640)).toEqual([0, 3, 6, 9, 12, 15, 18, 21]);
    expect(labelIndexes(7, 1000)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(labelIndexes(30, 10)).toEqual([0]);
    expect(labelIndexes(0, 500)).toEqual([]);
  });
});

describe("linePath", () => {
  it("breaks where a value is unknown", () => {
    expect(linePath([at(0), at(1), null, at(3), at(4)])).toBe("M0,1L1,1M3,1L4,1");
    expect(linePath([null, null])).toBe("");
  });
});
