import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { RunStatus } from "@/components/run-status";
import { CopyButton } from "@/components/ui/copy-button";
import { Skeleton } from "@/components/ui/skeleton";
import type { Run } from "@/lib/api/types";

import { useRunStore } from "../store/use-span";
import type { RunStore } from "../store/run-store";

import { RunFigures } from "./run-metrics";
import { useRefusedAction } from "./run-mutations";

const RunActions = lazy(async () => ({ default: (await import("./run-actions")).RunActions }));

/** The run in two lines: what it is and how it stands, and what it has taken so far. */
export function RunHeader({ run, store }: { run: Run; store: RunStore }) {
  const status = useRunStore(store, (now) => now.status);
  const refused = useRefusedAction(run);
  return (
    <header className="grid shrink-0 gap-1.5 border-b bg-surface px-4 py-2.5 max-sm:px-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <div className="flex min-w-0 items-center gap-1.5">
          <nav aria-label="Breadcrumb" className="flex shrink-0 items-center gap-1.5 text-ink-soft">
            <Link to="/runs" className="hover:text-ink hover:underline">
              Runs
            </Link>
            <span aria-hidden>/</span>
          </nav>
          <Name run={run} />
        </div>
        <RunStatus state={status} />
        <span className="flex items-center font-mono text-xs text-ink-faint">
          {shortened(run.id)}
          <CopyButton text={run.id} label="Copy the run's id" />
        </span>
        <div className="ml-auto flex flex-wrap items-center gap-2">
          <Suspense fallback={<Skeleton className="h-8 w-36 max-sm:h-10" />}>
            <RunActions run={run} store={store} />
          </Suspense>
        </div>
      </div>
      <RunFigures run={run} store={store} />
      {refused !== null && <ErrorPanel error={refused} />}
    </header>
  );
}

function Name({ run }: { run: Run }) {
  const version = run.workflowVersion === null ? null : `v${run.workflowVersion}`;
  return (
    <h1 className="min-w-0 truncate text-base font-semibold">
      {run.workflowId ? (
        <Link
          to="/workflows/$workflowId"
          params={{ workflowId: run.workflowId }}
          className="hover:underline"
        >
          {run.workflowName}
          {version && <span className="font-normal text-ink-soft"> {version}</span>}
        </Link>
      ) : (
        run.workflowName
      )}
    </h1>
  );
}

/** The end of an id tells runs apart; the whole is copied. */
function shortened(id: string): string {
  return id.length > 14 ? `run_…${id.slice(-6)}` : id;
}
