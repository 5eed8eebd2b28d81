import { lazy, Suspense, useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import type { WorkflowSummary } from "@/lib/api/types";

import { useWorkflowActions } from "./use-workflow-actions";
import { COLUMNS, WorkflowRow } from "./workflow-row";

// Loaded after the list, to keep its first download small.
const DeleteWorkflowDialog = lazy(async () => ({
  default: (await import("./delete-workflow-dialog")).DeleteWorkflowDialog,
}));

/** The workflows as rows, or as cards on a phone. */
export function WorkflowList({ workflows }: { workflows: WorkflowSummary[] }) {
  const [workflowToDelete, setWorkflowToDelete] = useState<WorkflowSummary | null>(null);
  const actions = useWorkflowActions();
  return (
    <>
      {actions.error && <ErrorPanel error={actions.error} />}
      <div className="sm:rounded-lg sm:border sm:bg-surface">
        <div
          aria-hidden
          className={`${COLUMNS} border-b px-4 py-2 text-xs font-medium text-ink-faint max-sm:hidden`}
        >
          <span>Name</span>
          <span>Last run</span>
          <span className="max-lg:hidden">Recent runs</span>
          <span className="max-md:hidden">Updated</span>
          <span />
        </div>
        <ul aria-label="Workflows" className="grid max-sm:gap-2 sm:divide-y sm:divide-line">
          {workflows.map((workflow) => (
            <WorkflowRow
              key={workflow.id}
              workflow={workflow}
              actions={actions}
              onDelete={() => setWorkflowToDelete(workflow)}
            />
          ))}
        </ul>
      </div>
      <Suspense>
        <DeleteWorkflowDialog
          workflow={workflowToDelete}
          onClose={() => setWorkflowToDelete(null)}
        />
      </Suspense>
    </>
  );
}
