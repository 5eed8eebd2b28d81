import { useQuery } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { Run } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

const MAX_NEWER_RUNS = 100;

/** Ids of the previous and the next run of the same workflow or project. */
export function useAdjacentRuns(run: Run): { older: string | null; newer: string | null } {
  const { workflowId, projectId, createdAt, id } = run;
  const source = projectId === null ? { workflowId } : { projectId };
  const { data } = useQuery({
    queryKey: [...runKeys.detail(id), "adjacent"],
    queryFn: async ({ signal }) => {
      const [until, since] = await Promise.all([
        api.GET("/api/v1/runs", {
          params: { query: { ...source, until: createdAt, limit: 2 } },
          signal,
        }),
        api.GET("/api/v1/runs", {
          params: { query: { ...source, since: createdAt, limit: MAX_NEWER_RUNS } },
          signal,
        }),
      ]);
      // Both lists are newest first and include this run.
      const older = body(until).runs.filter((other) => other.id !== id);
      const newer = body(since).runs.filter((other) => other.id !== id);
      return { older: older[0]?.id ?? null, newer: newer.at(-1)?.id ?? null };
    },
    enabled: workflowId !== null || projectId !== null,
    staleTime: 30_000,
  });
  return data ?? { older: null, newer: null };
}
