import { formatDuration } from "@/lib/format";

import { ticksOf, type Axis } from "./time-axis";

/** The marks of time above the bars. */
export function TimeRuler({ axis }: { axis: Axis }) {
  const length = axis.to - axis.from;
  return (
    <div
      aria-hidden
      className="grid shrink-0 grid-cols-[minmax(0,1fr)_4.5rem_minmax(6rem,28%)] gap-x-2 border-b border-l-2 border-l-transparent pr-3 pl-1 text-[11px] text-ink-faint max-sm:hidden"
    >
      <span className="pl-7 leading-6">Step</span>
      <span className="text-right leading-6">Time</span>
      <span className="relative h-6 overflow-hidden">
        {ticksOf(axis).map((at) => (
          <span
            key={at}
            className="absolute inset-y-0 border-l pl-1 leading-6 whitespace-nowrap"
            style={{ left: `${(at / length) * 100}%` }}
          >
            {at === 0 ? "0" : shortly(at)}
          </span>
        ))}
      </span>
    </div>
  );
}

/** `2 s`, not `2.0 s`: marks are round. */
function shortly(milliseconds: number): string {
  return formatDuration(milliseconds)
    .replace(/\.0 s$/, " s")
    .replace(/m 0s$/, "m")
    .replace(/h 0m$/, "h");
}
