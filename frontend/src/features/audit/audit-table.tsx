import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import type { AuditEntry } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { describeActor, describeOperation } from "./describe-entry";

interface Props {
  entries: AuditEntry[];
  onShow: (entry: AuditEntry) => void;
}

const HEAD = "px-4 py-2 text-left text-xs font-medium text-ink-soft";
const CELL = "px-4 py-2 align-top max-sm:px-3";

/** The entries; on phones, what and who share a cell. */
export function AuditTable({ entries, onShow }: Props) {
  return (
    <table className="w-full table-fixed border-collapse">
      <thead className="border-b max-sm:sr-only">
        <tr>
          <th scope="col" className={cn(HEAD, "w-36")}>
            When
          </th>
          <th scope="col" className={cn(HEAD, "w-1/5 max-md:hidden")}>
            Who
          </th>
          <th scope="col" className={HEAD}>
            What
          </th>
          <th scope="col" className={cn(HEAD, "w-1/4 max-lg:hidden")}>
            On what
          </th>
          <th scope="col" className={cn(HEAD, "w-40 max-lg:hidden")}>
            From
          </th>
          <th scope="col" className={cn(HEAD, "w-28")}>
            Result
          </th>
        </tr>
      </thead>
      <tbody className="divide-y divide-line">
        {entries.map((entry) => (
          <EntryRow key={entry.id} entry={entry} onShow={onShow} />
        ))}
      </tbody>
    </table>
  );
}

function EntryRow({ entry, onShow }: { entry: AuditEntry; onShow: Props["onShow"] }) {
  return (
    <tr className="hover:bg-hover">
      <td className={cn(CELL, "text-ink-soft max-sm:w-24 max-sm:text-xs")}>
        <TimeAgo at={entry.at} />
      </td>
      <td className={cn(CELL, "wrap-anywhere max-md:hidden")}>{describeActor(entry)}</td>
      <td className={cn(CELL, "wrap-anywhere")}>
        <button
          type="button"
          className="min-h-6 text-left font-medium text-accent hover:underline"
          onClick={() => onShow(entry)}
        >
          {describeOperation(entry.operation)} <span className="sr-only">details</span>
        </button>
        <p className="text-xs text-ink-faint md:hidden">{describeActor(entry)}</p>
      </td>
      <td className={cn(CELL, "font-mono text-xs wrap-anywhere max-lg:hidden")}>
        {entry.targetId ?? "–"}
      </td>
      <td className={cn(CELL, "font-mono text-xs wrap-anywhere max-lg:hidden")}>
        {entry.address || "–"}
      </td>
      <td className={CELL}>
        <ResultBadge entry={entry} />
      </td>
    </tr>
  );
}

export function ResultBadge({ entry: { result, count } }: { entry: AuditEntry }) {
  if (result === "succeeded") return <Badge tone="ok">Succeeded</Badge>;
  return <Badge tone="err">{count > 1 ? `Refused ×${count}` : "Refused"}</Badge>;
}
