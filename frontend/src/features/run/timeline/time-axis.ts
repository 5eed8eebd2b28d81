import type { Span } from "../store/span";

export interface TimeAxis {
  readonly from: number;
  readonly to: number;
}

const MIN_AXIS_MS = 40;
/** Minimum bar width as a fraction of the axis. */
const MIN_BAR_WIDTH = 0.004;

/** From the earliest start to the latest end, or to `now` if given. Times are in milliseconds. */
export function timeAxisOf(spans: Iterable<Span>, now: number | null): TimeAxis {
  let from = Infinity;
  let to = -Infinity;
  for (const span of spans) {
    if (span.startedAt === null) continue;
    from = Math.min(from, span.startedAt);
    to = Math.max(to, span.finishedAt ?? span.startedAt);
  }
  if (now !== null) to = Math.max(to, now);
  if (!Number.isFinite(from)) return { from: 0, to: MIN_AXIS_MS };
  return { from, to: Math.max(to, from + MIN_AXIS_MS) };
}

/** Start and width of a span's bar as fractions of the axis; null if the span has not started. */
export function barPosition(span: Span, axis: TimeAxis): { left: number; width: number } | null {
  if (span.startedAt === null) return null;
  const length = axis.to - axis.from;
  const left = clamp((span.startedAt - axis.from) / length);
  const right = clamp(((span.finishedAt ?? axis.to) - axis.from) / length);
  const width = Math.max(right - left, MIN_BAR_WIDTH);
  return { left: Math.min(left, 1 - width), width };
}

/** At most six round times along the axis, in milliseconds from its start. */
export function axisTicks({ from, to }: TimeAxis): number[] {
  const step = TICK_STEPS_MS.find((candidate) => (to - from) / candidate <= 4) ?? 86_400_000;
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => index * step);
}

const TICK_STEPS_MS = [
  10, 20, 50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000,
];

/** Duration of a span in milliseconds: as measured by the server, else from its start and end. */
export function spanDuration(span: Span, now: number): number | null {
  if (span.durationMs !== null) return span.durationMs;
  if (span.startedAt === null) return null;
  return Math.max(0, (span.finishedAt ?? now) - span.startedAt);
}

function clamp(fraction: number): number {
  return Math.min(Math.max(fraction, 0), 1);
}
