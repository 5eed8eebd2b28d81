import { useMemo, type ReactNode } from "react";

import { useMediaQuery } from "@/hooks/use-media-query";
import { cn } from "@/lib/cn";
import { pluralize } from "@/lib/format";

import {
  countChangedLines,
  pairLines,
  parseUnifiedDiff,
  type DiffLine,
  type Hunk,
} from "./unified-diff";

interface Props {
  /** The unified diff. */
  diff: string;
  from: number;
  to: number;
}

/** A line-by-line diff: side by side on wide screens, else unified. */
export function DiffTable({ diff, from, to }: Props) {
  const hunks = useMemo(() => parseUnifiedDiff(diff), [diff]);
  const isWide = useMediaQuery("(width >= 64rem)");
  const { added, removed } = countChangedLines(hunks);
  const columns = isWide ? 4 : 3;
  return (
    <div
      role="region"
      aria-label="Changed lines"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrollable regions must be focusable
      tabIndex={0}
      className="overflow-x-auto rounded-md border"
    >
      <table className="w-full border-collapse font-mono text-[13px] leading-5">
        <caption className="sr-only">
          From version {from} to version {to}: {pluralize(added, "line")} added,{" "}
          {pluralize(removed, "line")} removed
        </caption>
        {isWide ? <SideBySideHead from={from} to={to} /> : <UnifiedHead />}
        {hunks.map((hunk, index) => (
          <tbody key={index}>
            {hunk.skipped > 0 && <SkippedLines lines={hunk.skipped} columns={columns} />}
            {isWide ? <SideBySideRows hunk={hunk} /> : <UnifiedRows hunk={hunk} />}
          </tbody>
        ))}
      </table>
    </div>
  );
}

const HEAD_CELL =
  "border-b bg-sunken px-2 py-1 text-left font-sans text-xs font-medium text-ink-soft";

function SideBySideHead({ from, to }: { from: number; to: number }) {
  return (
    <thead>
      <tr>
        {[from, to].map((version, index) => (
          <th key={index} scope="colgroup" colSpan={2} className={cn(HEAD_CELL, "w-1/2")}>
            Version {version}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function UnifiedHead() {
  return (
    <thead className="sr-only">
      <tr>
        <th scope="col">Line before</th>
        <th scope="col">Line after</th>
        <th scope="col">Text</th>
      </tr>
    </thead>
  );
}

function SideBySideRows({ hunk }: { hunk: Hunk }) {
  return pairLines(hunk.lines).map(({ before, after }, index) => (
    <tr key={index}>
      <LineNumber number={before?.before} line={before} />
      <LineText line={before} className="border-r" />
      <LineNumber number={after?.after} line={after} />
      <LineText line={after} />
    </tr>
  ));
}

function UnifiedRows({ hunk }: { hunk: Hunk }) {
  return hunk.lines.map((line, index) => (
    <tr key={index}>
      <LineNumber number={line.before} line={line} />
      <LineNumber number={line.after} line={line} />
      <LineText line={line} />
    </tr>
  ));
}

const BACKGROUNDS: Record<DiffLine["kind"], string> = {
  same: "",
  added: "bg-ok-soft",
  removed: "bg-err-soft",
};
const SIGNS: Record<DiffLine["kind"], ReactNode> = {
  same: " ",
  added: <Sign sign="+" label="Added: " />,
  removed: <Sign sign="−" label="Removed: " />,
};

function Sign({ sign, label }: { sign: string; label: string }) {
  return (
    <>
      <span aria-hidden className="select-none">
        {sign}
      </span>
      <span className="sr-only">{label}</span>
    </>
  );
}

function LineNumber({ number, line }: { number?: number | null; line: DiffLine | null }) {
  return (
    <td
      className={cn(
        "w-10 px-2 text-right align-top text-xs leading-5 text-ink-faint select-none max-sm:w-8 max-sm:px-1",
        line ? BACKGROUNDS[line.kind] : "bg-sunken",
      )}
    >
      {number}
    </td>
  );
}

function LineText({ line, className }: { line: DiffLine | null; className?: string }) {
  if (!line) {
    return (
      <td className={cn("bg-sunken", className)}>
        <span className="sr-only">No corresponding line</span>
      </td>
    );
  }
  return (
    // oxlint-disable-next-line jsx-a11y/control-has-associated-label -- the label is its content
    <td
      className={cn(
        "align-top wrap-anywhere whitespace-pre-wrap",
        BACKGROUNDS[line.kind],
        className,
      )}
    >
      <span className="flex gap-2 pr-2">
        <span className="w-3 shrink-0 text-center text-ink-soft">{SIGNS[line.kind]}</span>
        <span className="min-w-0">{line.text}</span>
      </span>
    </td>
  );
}

function SkippedLines({ lines, columns }: { lines: number; columns: number }) {
  return (
    <tr>
      <td colSpan={columns} className="bg-sunken px-3 py-0.5 font-sans text-xs text-ink-faint">
        {pluralize(lines, "unchanged line")}
      </td>
    </tr>
  );
}
