import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import type { WorkflowSummary } from "@/lib/api/types";
import { downloadWorkflow, type ExportFormat } from "@/lib/download-workflow";
import { workflowKeys, workflowQuery } from "@/lib/queries/workflows";
import { toast } from "@/lib/toast";

import { createWorkflow } from "./create-workflow";

export interface WorkflowActions {
  duplicate: (workflow: WorkflowSummary) => void;
  download: (workflow: WorkflowSummary, format: ExportFormat) => void;
  /** The id of the workflow for which an action is pending. */
  pendingId: string | null;
  error: Error | null;
}

/** Duplicates and downloads workflows from the list. */
export function useWorkflowActions(): WorkflowActions {
  const queryClient = useQueryClient();
  const navigate = useNavigate();

  const duplicate = useMutation({
    mutationFn: async ({ id, name }: WorkflowSummary) => {
      const { yaml } = await queryClient.fetchQuery(workflowQuery(id));
      return createWorkflow(yaml, `Copy of ${name}.`);
    },
    onSuccess: async (copy) => {
      await queryClient.invalidateQueries({ queryKey: workflowKeys.all });
      const open = () =>
        void navigate({ to: "/workflows/$workflowId", params: { workflowId: copy.id } });
      toast.success(`Created ${copy.name}`, { action: { label: "Open", onClick: open } });
    },
  });
  const download = useMutation({
    mutationFn: ({ workflow, format }: { workflow: WorkflowSummary; format: ExportFormat }) =>
      downloadWorkflow(workflow, format),
  });

  return {
    duplicate: (workflow) => {
      download.reset();
      duplicate.mutate(workflow);
    },
    download: (workflow, format) => {
      duplicate.reset();
      download.mutate({ workflow, format });
    },
    pendingId:
      (duplicate.isPending && duplicate.variables.id) ||
      (download.isPending && download.variables.workflow.id) ||
      null,
    error: duplicate.error ?? download.error,
  };
}
