import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api } from "@/lib/api/client";
import type { WorkflowSummary } from "@/lib/api/types";
import { workflowKeys } from "@/lib/queries/workflows";
import { toast } from "@/lib/toast";

interface Props {
  /** The workflow to delete; null while the dialog is closed. */
  workflow: WorkflowSummary | null;
  onClose: () => void;
}

/** Asks for confirmation before a workflow and its versions are deleted. */
export function DeleteWorkflowDialog({ workflow, onClose }: Props) {
  const queryClient = useQueryClient();
  // Kept, so that the name is shown while the dialog closes.
  const [shown, setShown] = useState(workflow);
  if (workflow && workflow !== shown) setShown(workflow);

  const remove = useMutation({
    mutationFn: async ({ id }: WorkflowSummary) => {
      await api.DELETE("/api/v1/workflows/{workflow_id}", {
        params: { path: { workflow_id: id } },
      });
    },
    onSuccess: async (_, { id, name }) => {
      queryClient.removeQueries({ queryKey: workflowKeys.detail(id) });
      await queryClient.invalidateQueries({ queryKey: workflowKeys.all });
      toast.success(`Deleted ${name}`);
      onClose();
    },
  });
  const close = () => {
    remove.reset();
    onClose();
  };
  return (
    <ConfirmDialog
      open={workflow !== null}
      onOpenChange={(open) => !open && close()}
      title={`Delete ${shown?.name}?`}
      description={`All its versions (${shown?.version}) are deleted. This cannot be undone. Its runs are kept.`}
      action="Delete workflow"
      busy={remove.isPending}
      onConfirm={() => workflow && remove.mutate(workflow)}
    >
      {remove.isError && <ErrorPanel error={remove.error} className="mt-3" />}
    </ConfirmDialog>
  );
}
