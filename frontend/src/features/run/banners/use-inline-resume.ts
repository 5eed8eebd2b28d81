import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api } from "@/lib/api/client";
import type { Run } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

/** The run goes on from its last finished task, with a higher budget where one is given. */
export function useResume(run: Run) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (budget?: Record<string, number>) =>
      api.POST("/api/v1/runs/{run_id}/resume", {
        params: { path: { run_id: run.id } },
        body: budget ? { budget } : {},
      }),
    onSettled: () => queries.invalidateQueries({ queryKey: runKeys.detail(run.id), exact: true }),
  });
}
