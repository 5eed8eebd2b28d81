import { describe, expect, it } from "vitest";

import { spanFixture } from "../testing/span-fixture";

import { axisTicks, barPosition, spanDuration, timeAxisOf } from "./time-axis";

describe("timeAxisOf", () => {
  it("reaches from the earliest start to the latest end, or to now", () => {
    const spans = [
      spanFixture({ startedAt: 100, finishedAt: 300 }),
      spanFixture({ startedAt: 200, finishedAt: null }),
    ];
    expect(timeAxisOf(spans, null)).toEqual({ from: 100, to: 300 });
    expect(timeAxisOf(spans, 900)).toEqual({ from: 100, to: 900 });
    expect(timeAxisOf([spanFixture({ startedAt: null })], 5).from).toBe(0);
  });
});

describe("barPosition", () => {
  it("keeps bars inside the axis and wide enough to be visible", () => {
    const axis = { from: 1000, to: 2000 };
    expect(barPosition(spanFixture({ startedAt: 1250, finishedAt: 1500 }), axis)).toEqual({
      left: 0.25,
      width: 0.25,
    });
    expect(barPosition(spanFixture({ startedAt: 1500, finishedAt: null }), axis)).toEqual({
      left: 0.5,
      width: 0.5,
    });
    expect(barPosition(spanFixture({ startedAt: null }), axis)).toBeNull();
    const point = barPosition(spanFixture({ startedAt: 2000, finishedAt: 2000 }), axis);
    expect((point?.left ?? 0) + (point?.width ?? 0)).toBeCloseTo(1);
    expect(point?.width).toBeGreaterThan(0);
  });
});

describe("axisTicks", () => {
  it("returns a few round times for runs of any length", () => {
    expect(axisTicks({ from: 7, to: 4007 })).toEqual([0, 1000, 2000, 3000, 4000]);
    for (const length of [40, 999, 12_345, 3_600_000, 90_000_000, 4e8]) {
      expect(axisTicks({ from: 0, to: length }).length).toBeLessThanOrEqual(6);
    }
  });
});

describe("spanDuration", () => {
  it("prefers the duration measured by the server", () => {
    expect(spanDuration(spanFixture({ startedAt: 100, finishedAt: null }), 250)).toBe(150);
    const measured = spanFixture({ startedAt: 100, finishedAt: 200, durationMs: 70 });
    expect(spanDuration(measured, 250)).toBe(70);
    expect(spanDuration(spanFixture({ startedAt: null }), 250)).toBeNull();
  });
});
