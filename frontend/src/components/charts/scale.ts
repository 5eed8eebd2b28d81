/** The arithmetic of the charts, apart from what draws them. */

/** Round values from 0 to at least `max`, about `wanted` steps apart: 0, 5, 10, 15. */
export function axisTicks(max: number, wanted = 3, whole = false): number[] {
  if (!(max > 0)) return [0, 1];
  const step = roundStep(max / wanted, whole);
  const steps = Math.max(1, Math.ceil(max / step - 1e-9));
  return Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** The next of 1, 2, 5, 10, 20, … that is not smaller; below one only where fractions have a sense. */
function roundStep(step: number, whole: boolean): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 5, 10].find((one) => one * power >= step * (1 - 1e-9)) ?? 10;
  return whole ? Math.max(1, Math.ceil(factor * power - 1e-9)) : factor * power;
}

/** The pixel of a value between 0 and `max`, in a box in which 0 lies at the bottom. */
export function barHeight(value: number, max: number, pixels: number): number {
  return max > 0 ? (Math.min(Math.max(value, 0), max) / max) * pixels : 0;
}

/** Left edge and width of one bar of `count`, with a gap that shrinks when there are many. */
export function barSlot(index: number, count: number, width: number): { x: number; width: number } {
  const step = width / Math.max(1, count);
  const gap = Math.min(8, step * 0.25);
  const wide = Math.min(40, step - gap);
  return { x: slotCentre(index, count, width) - wide / 2, width: wide };
}

/** The middle of one of `count` equal parts of the width. */
export function slotCentre(index: number, count: number, width: number): number {
  return ((index + 0.5) * width) / Math.max(1, count);
}

/** Which of `count` equal parts of the width a pixel lies in. */
export function slotIndexAt(pixel: number, count: number, width: number): number {
  if (width <= 0) return 0;
  return Math.min(count - 1, Math.max(0, Math.floor((pixel / width) * count)));
}

/** Which labels fit under an axis: evenly spread, never closer than `room` pixels. */
export function labelIndexes(count: number, width: number, room = 64): number[] {
  const most = Math.max(1, Math.floor(width / room));
  const every = Math.max(1, Math.ceil(count / most));
  return Array.from({ length: Math.ceil(count / every) }, (_, index) => index * every);
}

/** The path of a line; an unknown value breaks it. A point that stands alone gets no line. */
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
