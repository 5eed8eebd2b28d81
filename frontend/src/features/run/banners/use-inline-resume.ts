import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api } from "@/lib/api/client";
import type { Run } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

/**
 * Resumes a run from a banner, optionally with a higher budget. The banner shows the error itself.
 */
export function useInlineResume(run: Run) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (budget?: Record<string, number>) =>
      api.POST("/api/v1/runs/{run_id}/resume", {
        params: { path: { run_id: run.id } },
        body: budget ? { budget } : {},
      }),
    onSettled: () =>
      queryClient.invalidateQueries({ queryKey: runKeys.detail(run.id), exact: true }),
  });
}
