import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { useState } from "react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api, body } from "@/lib/api/client";
import type { Workflow } from "@/lib/api/types";
import { workflowKeys } from "@/lib/queries/workflows";
import { toast } from "@/lib/toast";

interface Props {
  workflow: Workflow;
  number: number;
}

/** Saves the text of an older version as the newest version. */
export function RestoreVersion({ workflow, number }: Props) {
  const [isConfirming, setConfirming] = useState(false);
  const restore = useRestore(workflow, () => setConfirming(false));
  const handleOpenChange = (open: boolean) => {
    if (!open) restore.reset();
    setConfirming(open);
  };
  return (
    <>
      <Allowed scope="workflows:write">
        <Button onClick={() => setConfirming(true)}>
          <RotateCcw aria-hidden />
          Restore…
        </Button>
      </Allowed>
      <ConfirmDialog
        open={isConfirming}
        onOpenChange={handleOpenChange}
        title={`Restore version ${number}?`}
        description={`Its text is saved as version ${workflow.version + 1}. All other versions are kept.`}
        action={`Restore version ${number}`}
        busy={restore.isPending}
        onConfirm={() => restore.mutate(number)}
      >
        {restore.isError && <ErrorPanel error={restore.error} className="mt-3" />}
      </ConfirmDialog>
    </>
  );
}

function useRestore(workflow: Workflow, onDone: () => void) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const params = { workflowId: workflow.id };
  return useMutation({
    mutationFn: async (number: number) =>
      body(
        await api.POST("/api/v1/workflows/{workflow_id}/versions/{number}/restore", {
          params: {
            path: { workflow_id: workflow.id, number },
            // Fails if someone else has saved a newer version.
            header: { "if-match": `"${workflow.version}"` },
          },
        }),
      ),
    onSuccess: async (restored, number) => {
      await queryClient.invalidateQueries({ queryKey: workflowKeys.all });
      await navigate({
        to: "/workflows/$workflowId",
        params,
        search: { tab: "versions", to: restored.version },
      });
      toast.success(`Version ${number} restored as version ${restored.version}`, {
        action: {
          label: "Open in the editor",
          onClick: () => void navigate({ to: "/workflows/$workflowId", params }),
        },
      });
      onDone();
    },
    onError: () => queryClient.invalidateQueries({ queryKey: workflowKeys.detail(workflow.id) }),
  });
}
