import { Link } from "@tanstack/react-router";

import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import type { Memory } from "@/lib/api/types";
import { previewText } from "@/lib/format";

interface Props {
  memory: Memory;
  isSelected: boolean;
  /** Absent for those who may not delete memories. */
  onToggle?: () => void;
}

/** A memory with where it is from. */
export function MemoryRow({ memory, isSelected, onToggle }: Props) {
  return (
    <li className="flex items-start gap-3 px-4 py-2.5">
      {onToggle && (
        <input
          type="checkbox"
          aria-label={`Select: ${previewText(memory.content, 60)}`}
          checked={isSelected}
          onChange={onToggle}
          className="mt-0.5 size-4 shrink-0 accent-(--accent) max-sm:size-5"
        />
      )}
      <div className="grid min-w-0 flex-1 gap-1">
        <p className="wrap-anywhere whitespace-pre-wrap">{memory.content}</p>
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-ink-faint">
          {memory.categories.map((category) => (
            <Badge key={category}>{category}</Badge>
          ))}
          <span className="font-mono wrap-anywhere">{memory.scope}</span>
          <TimeAgo at={memory.createdAt} />
          {memory.runId && (
            <Link
              to="/runs/$runId"
              params={{ runId: memory.runId }}
              className="text-accent underline-offset-4 hover:underline"
            >
              Run
            </Link>
          )}
        </p>
      </div>
    </li>
  );
}
