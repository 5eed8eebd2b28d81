import { ArrowRight } from "lucide-react";

import { pluralize } from "@/lib/format";
import type { VersionDiff } from "@/lib/api/types";

import { changeWords, valueWords } from "./change-words";

type Change = VersionDiff["changes"][number];

/** What the changes mean, in words. */
export function ChangeList({ changes }: { changes: readonly Change[] }) {
  if (changes.length === 0) {
    return <p className="text-ink-soft">Only comments or layout differ: it means the same.</p>;
  }
  return (
    <section aria-label="What changed">
      <h3 className="mb-1 font-semibold">{pluralize(changes.length, "change")} in meaning</h3>
      <ul className="divide-y divide-line rounded-md border">
        {changes.map((change, index) => (
          <li key={index} className="grid gap-0.5 px-3 py-2">
            <span>{changeWords(change)}</span>
            <Values change={change} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Values({ change: { before, after } }: { change: Change }) {
  const [old, now] = [valueWords(before), valueWords(after)];
  if (old === null && now === null) return null;
  return (
    <span className="flex flex-wrap items-baseline gap-x-2 text-xs text-ink-soft">
      {old !== null && <del className="line-clamp-3 wrap-anywhere text-err">{old}</del>}
      {old !== null && now !== null && <ArrowRight aria-hidden className="size-3 shrink-0" />}
      {now !== null && <ins className="line-clamp-3 wrap-anywhere text-ok no-underline">{now}</ins>}
    </span>
  );
}
