import { ArrowRight } from "lucide-react";

import { pluralize } from "@/lib/format";
import type { VersionDiff } from "@/lib/api/types";

import { describeChange, formatValue } from "./describe-change";

type Change = VersionDiff["changes"][number];

/** The changes in meaning between two versions. */
export function ChangeList({ changes }: { changes: readonly Change[] }) {
  if (changes.length === 0) {
    return <p className="text-ink-soft">Only comments or formatting changed.</p>;
  }
  return (
    <section aria-label="Changes">
      <h3 className="mb-1 font-semibold">{pluralize(changes.length, "change")}</h3>
      <ul className="divide-y divide-line rounded-md border">
        {changes.map((change, index) => (
          <li key={index} className="grid gap-0.5 px-3 py-2">
            <span>{describeChange(change)}</span>
            <ChangedValues change={change} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function ChangedValues({ change: { before, after } }: { change: Change }) {
  const [oldValue, newValue] = [formatValue(before), formatValue(after)];
  if (oldValue === null && newValue === null) return null;
  return (
    <span className="flex flex-wrap items-baseline gap-x-2 text-xs text-ink-soft">
      {oldValue !== null && <del className="line-clamp-3 wrap-anywhere text-err">{oldValue}</del>}
      {oldValue !== null && newValue !== null && (
        <ArrowRight aria-hidden className="size-3 shrink-0" />
      )}
      {newValue !== null && (
        <ins className="line-clamp-3 wrap-anywhere text-ok no-underline">{newValue}</ins>
      )}
    </span>
  );
}
