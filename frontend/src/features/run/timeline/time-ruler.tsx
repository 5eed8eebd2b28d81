import { formatDuration } from "@/lib/format";

import { axisTicks, type TimeAxis } from "./time-axis";

/** The time scale above the bars. */
export function TimeRuler({ axis }: { axis: TimeAxis }) {
  const length = axis.to - axis.from;
  return (
    <div
      aria-hidden
      className="grid shrink-0 grid-cols-[minmax(0,1fr)_4.5rem_minmax(6rem,28%)] gap-x-2 border-b border-l-2 border-l-transparent pr-3 pl-1 text-[11px] text-ink-faint max-sm:hidden"
    >
      <span className="pl-7 leading-6">Step</span>
      <span className="text-right leading-6">Duration</span>
      <span className="relative h-6 overflow-hidden">
        {axisTicks(axis).map((at) => (
          <span
            key={at}
            className="absolute inset-y-0 border-l pl-1 leading-6 whitespace-nowrap"
            style={{ left: `${(at / length) * 100}%` }}
          >
            {at === 0 ? "0" : formatTick(at)}
          </span>
        ))}
      </span>
    </div>
  );
}

/** Formats round times without decimals, e.g. `2 s` instead of `2.0 s`. */
function formatTick(milliseconds: number): string {
  return formatDuration(milliseconds)
    .replace(/\.0 s$/, " s")
    .replace(/m 0s$/, "m")
    .replace(/h 0m$/, "h");
}
