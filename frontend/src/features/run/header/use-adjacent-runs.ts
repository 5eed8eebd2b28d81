import { useQuery } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { Run } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

const NEWER = 100;

/** The runs of the same workflow before and after this one. */
export function useNeighbours(run: Run): { older: string | null; newer: string | null } {
  const { workflowId, createdAt, id } = run;
  const { data } = useQuery({
    queryKey: [...runKeys.detail(id), "neighbours"],
    queryFn: async ({ signal }) => {
      const of = { workflowId };
      const [before, since] = await Promise.all([
        api.GET("/api/v1/runs", {
          params: { query: { ...of, until: createdAt, limit: 2 } },
          signal,
        }),
        api.GET("/api/v1/runs", {
          params: { query: { ...of, since: createdAt, limit: NEWER } },
          signal,
        }),
      ]);
      const older = body(before).runs.filter((one) => one.id !== id);
      const newer = body(since).runs.filter((one) => one.id !== id);
      return { older: older[0]?.id ?? null, newer: newer.at(-1)?.id ?? null };
    },
    enabled: workflowId !== null,
    staleTime: 30_000,
  });
  return data ?? { older: null, newer: null };
}
