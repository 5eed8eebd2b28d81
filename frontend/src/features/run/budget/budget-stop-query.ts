import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { Run, RunEvent } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

export type BudgetStop = Extract<RunEvent, { type: "budget.exceeded" }>["data"];

/** A waiting run emits few events, so the one that paused it is among the last. */
const MAX_EVENTS = 200;

/**
 * The exceeded budget of a waiting run: the lowest of the run's, the workflow's and the server's
 * limits.
 */
export const budgetStopQuery = (run: Run) =>
  queryOptions({
    queryKey: [...runKeys.detail(run.id), "budget-stop", run.attempt, run.lastSeq] as const,
    queryFn: async ({ signal }): Promise<BudgetStop | null> => {
      const after = Math.max(0, run.lastSeq - MAX_EVENTS);
      const params = { path: { run_id: run.id }, query: { after, limit: MAX_EVENTS } };
      const { events } = body(await api.GET("/api/v1/runs/{run_id}/events", { params, signal }));
      return events.findLast((event) => event.type === "budget.exceeded")?.data ?? null;
    },
    staleTime: Infinity,
  });
