import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api } from "@/lib/api/client";
import type { WorkflowSummary } from "@/lib/api/types";
import { workflowKeys } from "@/lib/queries/workflows";
import { toast } from "@/lib/toast";

interface Props {
  /** The one to delete; null while nothing is asked. */
  workflow: WorkflowSummary | null;
  onClose: () => void;
}

/** Asks before a workflow and its versions are gone for good. */
export function DeleteDialog({ workflow, onClose }: Props) {
  const queryClient = useQueryClient();
  // Still named while the dialog fades.
  const [last, setLast] = useState(workflow);
  if (workflow && workflow !== last) setLast(workflow);

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
      title={`Delete ${last?.name}?`}
      description={`All its versions (${last?.version}) go with it, and this cannot be undone. Its runs stay: each keeps the definition it was started with.`}
      action="Delete workflow"
      busy={remove.isPending}
      onConfirm={() => workflow && remove.mutate(workflow)}
    >
      {remove.isError && <ErrorPanel error={remove.error} className="mt-3" />}
    </ConfirmDialog>
  );
}
