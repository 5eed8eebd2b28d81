import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Skeleton } from "@/components/ui/skeleton";

/** Maximum rows of a list on the dashboard; the list reserves their height. */
export const MAX_ROWS = 4;

/** A list of fixed minimum height. */
export function RowList({ children }: { children: ReactNode }) {
  return <ul className="min-h-28 divide-y sm:min-h-57">{children}</ul>;
}

/** A row that links to a run. */
export function RunRow({
  runId,
  icon,
  title,
  detail,
  aside,
}: {
  runId: string;
  icon: ReactNode;
  title: ReactNode;
  detail: ReactNode;
  aside: ReactNode;
}) {
  return (
    <li>
      <Link
        to="/runs/$runId"
        params={{ runId }}
        className="flex h-14 items-center gap-3 px-4 hover:bg-hover focus-visible:-outline-offset-2"
      >
        {icon}
        <span className="min-w-0 flex-1">
          <span className="block truncate font-medium">{title}</span>
          <span className="block truncate text-xs text-ink-faint">{detail}</span>
        </span>
        <span className="shrink-0 text-right text-xs text-ink-faint">{aside}</span>
      </Link>
    </li>
  );
}

export function RowListSkeleton() {
  return (
    <div role="status" className="grid min-h-28 content-start gap-3 p-4 sm:min-h-57">
      <span className="sr-only">Loading…</span>
      <Skeleton className="h-9" />
      <Skeleton className="h-9" />
      <Skeleton className="h-9 max-sm:hidden" />
      <Skeleton className="h-9 max-sm:hidden" />
    </div>
  );
}

export function EmptyRowList({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <div className="grid min-h-28 place-content-center justify-items-center gap-2 px-6 text-center text-ink-soft sm:min-h-57">
      {icon}
      <p>{children}</p>
    </div>
  );
}
