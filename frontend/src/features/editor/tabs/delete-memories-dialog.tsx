import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api, body } from "@/lib/api/client";
import { pluralize } from "@/lib/format";
import { memoryKeys } from "@/lib/queries/knowledge";
import { toast } from "@/lib/toast";

interface Props {
  workflowId: string;
  /** What to delete; null while the dialog is closed. */
  what: "selected" | "all" | null;
  ids: string[];
  onClose: () => void;
  onDeleted: () => void;
}

/** Asks for confirmation before memories are deleted. */
export function DeleteMemoriesDialog({ workflowId, what, ids, onClose, onDeleted }: Props) {
  const queryClient = useQueryClient();
  // Kept, so that the text stays the same while the dialog closes.
  const [shown, setShown] = useState(what);
  if (what && what !== shown) setShown(what);
  const remove = useMutation({
    mutationFn: () => deleteMemories(workflowId, what === "all" ? null : ids),
    onSuccess: async ({ deleted }) => {
      toast.success(`${pluralize(deleted, "memory", "memories")} deleted`);
      onDeleted();
      onClose();
      await queryClient.invalidateQueries({ queryKey: memoryKeys.workflow(workflowId) });
    },
  });
  const close = () => {
    remove.reset();
    onClose();
  };
  const title =
    shown === "all"
      ? "Delete all memories of this workflow?"
      : `Delete ${pluralize(ids.length, "memory", "memories")}?`;
  return (
    <ConfirmDialog
      open={what !== null}
      onOpenChange={(open) => !open && close()}
      title={title}
      description="Later runs no longer recall them. They cannot be restored. A run in progress may save some again."
      action="Delete memories"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      {remove.isError && <ErrorPanel error={remove.error} className="mt-3" />}
    </ConfirmDialog>
  );
}

async function deleteMemories(workflowId: string, ids: string[] | null) {
  const path = { workflow_id: workflowId };
  if (ids === null) {
    return body(await api.DELETE("/api/v1/workflows/{workflow_id}/memories", { params: { path } }));
  }
  return body(
    await api.POST("/api/v1/workflows/{workflow_id}/memories/delete", {
      params: { path },
      body: { ids },
    }),
  );
}
