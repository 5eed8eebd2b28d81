import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { Run } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

export interface Engine {
  name: string;
  native: boolean;
}

/** The engine that runs the crew, as the run's story names it; null until it has begun. */
export const engineQuery = (run: Run) =>
  queryOptions({
    queryKey: [...runKeys.detail(run.id), "engine", run.startedAt !== null] as const,
    queryFn: async ({ signal }): Promise<Engine | null> => {
      const params = { path: { run_id: run.id }, query: { after: 0, limit: 10 } };
      const { events } = body(await api.GET("/api/v1/runs/{run_id}/events", { params, signal }));
      const begun = events.find((event) => event.type === "run.started");
      return begun ? { name: begun.data.engine, native: begun.data.native } : null;
    },
    enabled: run.startedAt !== null,
    staleTime: Infinity,
  });
