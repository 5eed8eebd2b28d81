import { Link } from "@tanstack/react-router";

import type { RunSummary } from "@/lib/api/types";

/** Link that covers the whole row: a click anywhere opens the run. */
export function RunLink({ run }: { run: RunSummary }) {
  const version = run.workflowVersion ?? run.projectVersion;
  return (
    <Link
      to="/runs/$runId"
      params={{ runId: run.id }}
      data-run-link
      className="flex min-w-0 items-baseline outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
    >
      <span className="truncate font-medium">{run.workflowName}</span>
      {version !== null && <span className="ml-1.5 text-xs text-ink-faint">v{version}</span>}
    </Link>
  );
}
