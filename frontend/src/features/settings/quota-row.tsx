import { cn } from "@/lib/cn";

import type { QuotaItem } from "./quota-list";

/** What is used of one quota, with a bar if there is a limit. */
export function QuotaRow({ item: { label, summary, share, note } }: { item: QuotaItem }) {
  const used = Math.min(1, share ?? 0);
  const colour = used >= 1 ? "bg-err" : used >= 0.8 ? "bg-warn" : "bg-accent";
  return (
    <li className="grid content-start gap-1">
      <p className="flex flex-wrap justify-between gap-x-4">
        <span>{label}</span>
        <span>{summary}</span>
      </p>
      {share !== null && (
        <div aria-hidden className="h-1.5 overflow-hidden rounded-full bg-hover">
          <div className={cn("h-full rounded-full", colour)} style={{ width: `${used * 100}%` }} />
        </div>
      )}
      {share !== null && note && <p className="text-xs text-ink-faint">{note}</p>}
    </li>
  );
}
