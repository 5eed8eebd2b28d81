import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api, body } from "@/lib/api/client";
import type { Workflow } from "@/lib/api/types";
import { workflowKeys } from "@/lib/queries/workflows";
import { toast } from "@/lib/toast";

interface Props {
  workflow: Workflow;
  /** The version to go back to. */
  number: number;
}

/** Saves an old version's text again as the newest. */
export function RestoreVersion({ workflow, number }: Props) {
  const [asking, setAsking] = useState(false);
  const restore = useRestore(workflow, () => setAsking(false));
  const change = (open: boolean) => {
    if (!open) restore.reset();
    setAsking(open);
  };
  return (
    <>
      <Button onClick={() => setAsking(true)}>
        <RotateCcw aria-hidden />
        Restore…
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={change}
        title={`Restore version ${number}?`}
        description={`Its text is saved again as version ${workflow.version + 1}, which then is the newest. No version is lost.`}
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
            // Somebody may have saved meanwhile: then look first.
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
      toast.success(`Version ${number} is now version ${restored.version}`, {
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
