import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Square } from "lucide-react";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api } from "@/lib/api/client";
import type { Run } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

/** Stops a run after a confirmation, and shows the error in place. */
export function StopRunButton({ run }: { run: Run }) {
  const queryClient = useQueryClient();
  const [isConfirmOpen, setConfirmOpen] = useState(false);
  const stop = useMutation({
    mutationFn: () =>
      api.POST("/api/v1/runs/{run_id}/stop", {
        params: { path: { run_id: run.id } },
        body: { mode: "now" },
      }),
    onSettled: () => {
      setConfirmOpen(false);
      return queryClient.invalidateQueries({ queryKey: runKeys.detail(run.id), exact: true });
    },
  });
  return (
    <>
      <Button onClick={() => setConfirmOpen(true)}>
        <Square aria-hidden />
        Stop run
      </Button>
      <ConfirmDialog
        open={isConfirmOpen}
        onOpenChange={setConfirmOpen}
        title="Stop this run?"
        description="The outputs of finished tasks are kept. You can resume the run later."
        action="Stop run"
        busy={stop.isPending}
        onConfirm={() => stop.mutate()}
      />
      {stop.isError && <ErrorPanel error={stop.error} className="w-full" />}
    </>
  );
}
