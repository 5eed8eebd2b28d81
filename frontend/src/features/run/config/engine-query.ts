import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { Run } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

export interface Engine {
  name: string;
  native: boolean;
}

/** The engine named by the run's `run.started` event; null until the run has started. */
export const engineQuery = (run: Run) =>
  queryOptions({
    queryKey: [...runKeys.detail(run.id), "engine", run.startedAt !== null] as const,
    queryFn: async ({ signal }): Promise<Engine | null> => {
      const params = { path: { run_id: run.id }, query: { after: 0, limit: 10 } };
      const { events } = body(await api.GET("/api/v1/runs/{run_id}/events", { params, signal }));
      const started = events.find((event) => event.type === "run.started");
      return started ? { name: started.data.engine, native: started.data.native } : null;
    },
    enabled: run.startedAt !== null,
    staleTime: Infinity,
  });
