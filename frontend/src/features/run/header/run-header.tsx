import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useStore } from "zustand";

import { ErrorPanel } from "@/components/error-panel";
import { RunStatus } from "@/components/run-status";
import { CopyButton } from "@/components/ui/copy-button";
import { Skeleton } from "@/components/ui/skeleton";
import type { Run } from "@/lib/api/types";

import type { RunProps } from "../run-props";

import { RunMetrics } from "./run-metrics";
import { useRunActionError } from "./run-mutations";

const RunActions = lazy(async () => ({ default: (await import("./run-actions")).RunActions }));

/** Name, status, actions and metrics of the run. */
export function RunHeader({ run, store }: RunProps) {
  const status = useStore(store.state, (state) => state.status);
  const actionError = useRunActionError(run);
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
          <RunName run={run} />
        </div>
        <RunStatus state={status} />
        {run.external && (
          <span
            title="Executed by CrewAI on another machine, which only reports here"
            className="rounded-full border px-2 text-xs text-ink-soft"
          >
            Runs elsewhere
          </span>
        )}
        <span className="flex items-center font-mono text-xs text-ink-faint">
          {shortId(run.id)}
          <CopyButton text={run.id} label="Copy run ID" />
        </span>
        <div className="ml-auto flex flex-wrap items-center gap-2">
          <Suspense fallback={<Skeleton className="h-8 w-36 max-sm:h-10" />}>
            <RunActions run={run} store={store} />
          </Suspense>
        </div>
      </div>
      <RunMetrics run={run} store={store} />
      {actionError !== null && <ErrorPanel error={actionError} />}
    </header>
  );
}

/** The name and version of the workflow or project, with a link to it. */
function RunName({ run }: { run: Run }) {
  const number = run.workflowVersion ?? run.projectVersion;
  const version = number === null ? null : `v${number}`;
  return (
    <h1 className="min-w-0 truncate text-base font-semibold">
      {run.projectId && (
        <Link
          to="/projects/$projectId"
          params={{ projectId: run.projectId }}
          className="hover:underline"
        >
          {run.workflowName}
          {version && <span className="font-normal text-ink-soft"> {version}</span>}
        </Link>
      )}
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
        !run.projectId && run.workflowName
      )}
    </h1>
  );
}

function shortId(id: string): string {
  return id.length > 14 ? `run_…${id.slice(-6)}` : id;
}
