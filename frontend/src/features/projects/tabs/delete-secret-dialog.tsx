import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api } from "@/lib/api/client";
import { projectKeys } from "@/lib/queries/projects";
import { toast } from "@/lib/toast";

interface Props {
  projectId: string;
  /** The variable to delete; null while the dialog is closed. */
  name: string | null;
  onClose: () => void;
}

/** Asks for confirmation before an environment variable is deleted. */
export function DeleteSecretDialog({ projectId, name, onClose }: Props) {
  const queryClient = useQueryClient();
  // Kept, so that the name is shown while the dialog closes.
  const [shown, setShown] = useState(name);
  if (name && name !== shown) setShown(name);
  const remove = useMutation({
    mutationFn: async (secret: string) => {
      await api.DELETE("/api/v1/projects/{project_id}/secrets/{name}", {
        params: { path: { project_id: projectId, name: secret } },
      });
    },
    onSuccess: async (_, secret) => {
      toast.success(`${secret} deleted`);
      onClose();
      await queryClient.invalidateQueries({ queryKey: projectKeys.detail(projectId) });
    },
  });
  const close = () => {
    remove.reset();
    onClose();
  };
  return (
    <ConfirmDialog
      open={name !== null}
      onOpenChange={(open) => !open && close()}
      title={`Delete ${shown}?`}
      description="Runs that start afterwards do not get it. The value cannot be restored."
      action="Delete variable"
      busy={remove.isPending}
      onConfirm={() => name && remove.mutate(name)}
    >
      {remove.isError && <ErrorPanel error={remove.error} className="mt-3" />}
    </ConfirmDialog>
  );
}
