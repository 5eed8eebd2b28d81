import { Link } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { lazy, Suspense } from "react";

import { Allowed } from "@/components/allowed";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import type { WorkflowSummary } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { LastRun, RecentRuns } from "./recent-runs";
import type { WorkflowActions } from "./use-workflow-actions";

const WorkflowRowMenu = lazy(async () => ({
  default: (await import("./workflow-row-menu")).WorkflowRowMenu,
}));

export const COLUMNS =
  "grid items-center gap-x-4 grid-cols-[minmax(0,1fr)_9.5rem_6.5rem] md:grid-cols-[minmax(0,1fr)_9.5rem_7rem_6.5rem] lg:grid-cols-[minmax(0,1fr)_10rem_8rem_8rem_6.5rem]";

interface Props {
  workflow: WorkflowSummary;
  actions: WorkflowActions;
  onDelete: () => void;
}

/** A workflow in the list. The whole row is a link. */
export function WorkflowRow({ workflow, actions, onDelete }: Props) {
  return (
    <li
      className={cn(
        COLUMNS,
        "relative px-4 py-2.5 hover:bg-hover/60 max-sm:grid-cols-[minmax(0,1fr)_auto] max-sm:gap-y-2 max-sm:rounded-lg max-sm:border max-sm:bg-surface max-sm:py-3",
      )}
    >
      <div className="min-w-0 max-sm:col-span-2">
        <Link
          to="/workflows/$workflowId"
          params={{ workflowId: workflow.id }}
          className="font-medium break-words after:absolute after:inset-0"
        >
          {workflow.name}
        </Link>
        {workflow.description && (
          <p className="line-clamp-1 text-ink-soft max-sm:line-clamp-2">{workflow.description}</p>
        )}
      </div>
      <LastRun workflow={workflow} />
      <div className="max-lg:hidden">
        <RecentRuns workflow={workflow} />
      </div>
      <div className="text-ink-soft max-md:hidden">
        <span className="sr-only">Updated </span>
        <TimeAgo at={workflow.updatedAt} />
        <span className="block text-xs text-ink-faint">Version {workflow.version}</span>
      </div>
      <div className="relative flex items-center justify-end gap-1">
        <Allowed scope="runs:write">
          <Button asChild size="sm">
            <Link to="/workflows/$workflowId/run" params={{ workflowId: workflow.id }}>
              <Play aria-hidden />
              Run
              <span className="sr-only"> {workflow.name}</span>
            </Link>
          </Button>
        </Allowed>
        <Suspense fallback={<span className="size-7 max-sm:size-9" />}>
          <WorkflowRowMenu workflow={workflow} actions={actions} onDelete={onDelete} />
        </Suspense>
      </div>
    </li>
  );
}
