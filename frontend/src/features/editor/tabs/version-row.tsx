import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import type { VersionSummary } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { useIsShared } from "@/lib/rights";

interface Props {
  version: VersionSummary;
  isNewest: boolean;
  isSelected: boolean;
  onShow: () => void;
}

/** A version in the list. */
export function VersionRow({ version, isNewest, isSelected, onShow }: Props) {
  const isShared = useIsShared();
  return (
    <li>
      <button
        type="button"
        aria-current={isSelected || undefined}
        onClick={onShow}
        className={cn(
          "grid w-full gap-0.5 border-l-2 px-3 py-2 text-left focus-visible:-outline-offset-2",
          isSelected ? "border-l-accent bg-accent-soft/60" : "border-l-transparent hover:bg-hover",
        )}
      >
        <span className="flex items-center gap-2 font-medium">
          Version {version.number}
          {isNewest && <Badge tone="accent">Newest</Badge>}
        </span>
        <span className={cn("line-clamp-2 break-words", !version.note && "text-ink-faint")}>
          {version.note ?? "No note"}
        </span>
        <span className="text-xs text-ink-faint">
          <TimeAgo at={version.createdAt} />
          {isShared && ` · ${version.createdByName}`}
        </span>
      </button>
    </li>
  );
}
