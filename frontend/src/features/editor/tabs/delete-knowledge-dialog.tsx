import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api } from "@/lib/api/client";
import type { KnowledgeFile } from "@/lib/api/types";
import { knowledgeKeys } from "@/lib/queries/knowledge";
import { toast } from "@/lib/toast";

interface Props {
  workflowId: string;
  /** The file to delete; null while the dialog is closed. */
  file: KnowledgeFile | null;
  onClose: () => void;
}

/** Asks for confirmation before a knowledge file is deleted. */
export function DeleteKnowledgeDialog({ workflowId, file, onClose }: Props) {
  const queryClient = useQueryClient();
  // Kept, so that the name is shown while the dialog closes.
  const [shown, setShown] = useState(file);
  if (file && file !== shown) setShown(file);
  const remove = useMutation({
    mutationFn: async ({ id }: KnowledgeFile) => {
      await api.DELETE("/api/v1/workflows/{workflow_id}/knowledge/{knowledge_file_id}", {
        params: { path: { workflow_id: workflowId, knowledge_file_id: id } },
      });
    },
    onSuccess: async (_, { name }) => {
      toast.success(`${name} deleted`);
      onClose();
      await queryClient.invalidateQueries({ queryKey: knowledgeKeys.files(workflowId) });
    },
  });
  const close = () => {
    remove.reset();
    onClose();
  };
  return (
    <ConfirmDialog
      open={file !== null}
      onOpenChange={(open) => !open && close()}
      title={`Delete ${shown?.name}?`}
      description="Runs that start afterwards cannot search it. The file cannot be restored."
      action="Delete file"
      busy={remove.isPending}
      onConfirm={() => file && remove.mutate(file)}
    >
      {remove.isError && <ErrorPanel error={remove.error} className="mt-3" />}
    </ConfirmDialog>
  );
}
