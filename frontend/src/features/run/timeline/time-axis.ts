/** Where on the axis of time a span lies. Pure. */
import type { Span } from "../store/span";

export interface Axis {
  readonly from: number;
  readonly to: number;
}

const SHORTEST_MS = 40;
/** A bar is never thinner than this part of the axis, so that it can be seen. */
const THINNEST = 0.004;

/** From the first beginning to the last end, or to now while anything is under way. */
export function axisOf(spans: Iterable<Span>, now: number | null): Axis {
  let from = Infinity;
  let to = -Infinity;
  for (const span of spans) {
    if (span.startedAt === null) continue;
    from = Math.min(from, span.startedAt);
    to = Math.max(to, span.finishedAt ?? span.startedAt);
  }
  if (now !== null) to = Math.max(to, now);
  if (!Number.isFinite(from)) return { from: 0, to: SHORTEST_MS };
  return { from, to: Math.max(to, from + SHORTEST_MS) };
}

/** Beginning and length of a span's bar as parts of the axis; null for what has not begun. */
export function barOf(span: Span, axis: Axis): { left: number; width: number } | null {
  if (span.startedAt === null) return null;
  const length = axis.to - axis.from;
  const left = clamp((span.startedAt - axis.from) / length);
  const right = clamp(((span.finishedAt ?? axis.to) - axis.from) / length);
  const width = Math.max(right - left, THINNEST);
  return { left: Math.min(left, 1 - width), width };
}

/** Round moments along the axis, in milliseconds from its beginning; never more than five. */
export function ticksOf({ from, to }: Axis): number[] {
  const step = STEPS.find((one) => (to - from) / one <= 4) ?? 86_400_000;
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => index * step);
}

const STEPS = [
  10, 20, 50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000,
];

/** How long a span has taken: as the server measured it, else by its two times. */
export function lengthOf(span: Span, now: number): number | null {
  if (span.durationMs !== null) return span.durationMs;
  if (span.startedAt === null) return null;
  return Math.max(0, (span.finishedAt ?? now) - span.startedAt);
}

function clamp(part: number): number {
  return Math.min(Math.max(part, 0), 1);
}
