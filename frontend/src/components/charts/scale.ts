/** Scales and layout of the charts. */

/** Returns round values from 0 to at least `max` in about `stepCount` steps: 0, 5, 10, 15. */
export function axisTicks(max: number, stepCount = 3, integers = false): number[] {
  if (!(max > 0)) return [0, 1];
  const step = roundStep(max / stepCount, integers);
  const steps = Math.max(1, Math.ceil(max / step - 1e-9));
  return Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** Rounds up to 1, 2, 5, 10, 20, …; below 1 unless `integers` is set. */
function roundStep(step: number, integers: boolean): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 5, 10].find((one) => one * power >= step * (1 - 1e-9)) ?? 10;
  return integers ? Math.max(1, Math.ceil(factor * power - 1e-9)) : factor * power;
}

/** Returns the height in pixels of a value between 0 and `max`. */
export function barHeight(value: number, max: number, pixels: number): number {
  return max > 0 ? (Math.min(Math.max(value, 0), max) / max) * pixels : 0;
}

/** Returns the left edge and width of one of `count` bars; the gap shrinks when there are many. */
export function barSlot(index: number, count: number, width: number): { x: number; width: number } {
  const step = width / Math.max(1, count);
  const gap = Math.min(8, step * 0.25);
  const wide = Math.min(40, step - gap);
  return { x: slotCentre(index, count, width) - wide / 2, width: wide };
}

/** Returns the centre of one of `count` equal slots of the width. */
export function slotCentre(index: number, count: number, width: number): number {
  return ((index + 0.5) * width) / Math.max(1, count);
}

/** Returns which of `count` equal slots of the width contains a pixel. */
export function slotIndexAt(pixel: number, count: number, width: number): number {
  if (width <= 0) return 0;
  return Math.min(count - 1, Math.max(0, Math.floor((pixel / width) * count)));
}

/** Returns the evenly spaced labels that fit under an axis, at least `minGap` pixels apart. */
export function labelIndexes(count: number, width: number, minGap = 64): number[] {
  const maxLabels = Math.max(1, Math.floor(width / minGap));
  const step = Math.max(1, Math.ceil(count / maxLabels));
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step);
}

/** Returns the SVG path of a line; an unknown value breaks it, an isolated point gets no line. */
export function linePath(points: readonly ({ x: number; y: number } | null)[]): string {
  let path = "";
  let pen: "up" | "down" = "up";
  for (const point of points) {
    if (point) path += `${pen === "up" ? "M" : "L"}${round(point.x)},${round(point.y)}`;
    pen = point ? "down" : "up";
  }
  return path;
}

function round(pixel: number): number {
  return Math.round(pixel * 10) / 10;
}
