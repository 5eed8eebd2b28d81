import { useMemo, type ReactNode } from "react";

import { useMediaQuery } from "@/hooks/use-media-query";
import { cn } from "@/lib/cn";
import { pluralize } from "@/lib/format";

import { countsOf, hunksOf, pairsOf, type DiffLine, type Hunk } from "./diff-lines";

interface Props {
  /** The unified diff. */
  diff: string;
  from: number;
  to: number;
}

/** Two texts line by line: side by side where there is room, else one below the other. */
export function DiffTable({ diff, from, to }: Props) {
  const hunks = useMemo(() => hunksOf(diff), [diff]);
  const wide = useMediaQuery("(width >= 64rem)");
  const { added, removed } = countsOf(hunks);
  const columns = wide ? 4 : 3;
  return (
    <div
      role="region"
      aria-label="Changed lines"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a box that scrolls must take focus
      tabIndex={0}
      className="overflow-x-auto rounded-md border"
    >
      <table className="w-full border-collapse font-mono text-[13px] leading-5">
        <caption className="sr-only">
          From version {from} to version {to}: {pluralize(added, "line")} added,{" "}
          {pluralize(removed, "line")} removed
        </caption>
        {wide ? <SideHead from={from} to={to} /> : <UnifiedHead />}
        {hunks.map((hunk, index) => (
          <tbody key={index}>
            {hunk.skipped > 0 && <Skipped lines={hunk.skipped} columns={columns} />}
            {wide ? <SideRows hunk={hunk} /> : <UnifiedRows hunk={hunk} />}
          </tbody>
        ))}
      </table>
    </div>
  );
}

const HEAD_CELL =
  "border-b bg-sunken px-2 py-1 text-left font-sans text-xs font-medium text-ink-soft";

function SideHead({ from, to }: { from: number; to: number }) {
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

function SideRows({ hunk }: { hunk: Hunk }) {
  return pairsOf(hunk.lines).map(({ before, after }, index) => (
    <tr key={index}>
      <LineNumber number={before?.before} line={before} />
      <Text line={before} className="border-r" />
      <LineNumber number={after?.after} line={after} />
      <Text line={after} />
    </tr>
  ));
}

function UnifiedRows({ hunk }: { hunk: Hunk }) {
  return hunk.lines.map((line, index) => (
    <tr key={index}>
      <LineNumber number={line.before} line={line} />
      <LineNumber number={line.after} line={line} />
      <Text line={line} />
    </tr>
  ));
}

const SHADES: Record<DiffLine["kind"], string> = {
  same: "",
  added: "bg-ok-soft",
  removed: "bg-err-soft",
};
const SIGNS: Record<DiffLine["kind"], ReactNode> = {
  same: " ",
  added: <Sign sign="+" word="Added: " />,
  removed: <Sign sign="−" word="Removed: " />,
};

function Sign({ sign, word }: { sign: string; word: string }) {
  return (
    <>
      <span aria-hidden className="select-none">
        {sign}
      </span>
      <span className="sr-only">{word}</span>
    </>
  );
}

function LineNumber({ number, line }: { number?: number | null; line: DiffLine | null }) {
  return (
    <td
      className={cn(
        "w-10 px-2 text-right align-top text-xs leading-5 text-ink-faint select-none max-sm:w-8 max-sm:px-1",
        line ? SHADES[line.kind] : "bg-sunken",
      )}
    >
      {number}
    </td>
  );
}

function Text({ line, className }: { line: DiffLine | null; className?: string }) {
  if (!line) {
    return (
      <td className={cn("bg-sunken", className)}>
        <span className="sr-only">No such line</span>
      </td>
    );
  }
  return (
    // oxlint-disable-next-line jsx-a11y/control-has-associated-label -- its text is what it holds
    <td className={cn("align-top wrap-anywhere whitespace-pre-wrap", SHADES[line.kind], className)}>
      <span className="flex gap-2 pr-2">
        <span className="w-3 shrink-0 text-center text-ink-soft">{SIGNS[line.kind]}</span>
        <span className="min-w-0">{line.text}</span>
      </span>
    </td>
  );
}

function Skipped({ lines, columns }: { lines: number; columns: number }) {
  return (
    <tr>
      <td colSpan={columns} className="bg-sunken px-3 py-0.5 font-sans text-xs text-ink-faint">
        {pluralize(lines, "unchanged line")}
      </td>
    </tr>
  );
}
