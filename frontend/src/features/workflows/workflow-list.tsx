import { lazy, Suspense, useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import type { WorkflowSummary } from "@/lib/api/types";

import { useRowActions } from "./use-row-actions";
import { COLUMNS, WorkflowRow } from "./workflow-row";

// Dialogs and menus weigh more than the list; they come when it stands.
const DeleteDialog = lazy(async () => ({
  default: (await import("./delete-dialog")).DeleteDialog,
}));

/** The workflows, a row each; on a phone a card each. */
export function WorkflowList({ workflows }: { workflows: WorkflowSummary[] }) {
  const [doomed, setDoomed] = useState<WorkflowSummary | null>(null);
  const actions = useRowActions();
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
              onDelete={() => setDoomed(workflow)}
            />
          ))}
        </ul>
      </div>
      <Suspense>
        <DeleteDialog workflow={doomed} onClose={() => setDoomed(null)} />
      </Suspense>
    </>
  );
}
