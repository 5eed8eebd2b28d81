import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { Run, RunEvent } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

export type BudgetStop = Extract<RunEvent, { type: "budget.exceeded" }>["data"];

/** A waiting run says little after what it waits for, so the event is near the end. */
const NEAR_THE_END = 200;

/** The budget that holds a waiting run up, as it stood then: the run's, the workflow's and the server's in one. */
export const budgetStopQuery = (run: Run) =>
  queryOptions({
    queryKey: [...runKeys.detail(run.id), "budget-stop", run.attempt, run.lastSeq] as const,
    queryFn: async ({ signal }): Promise<BudgetStop | null> => {
      const after = Math.max(0, run.lastSeq - NEAR_THE_END);
      const params = { path: { run_id: run.id }, query: { after, limit: NEAR_THE_END } };
      const { events } = body(await api.GET("/api/v1/runs/{run_id}/events", { params, signal }));
      return events.findLast((event) => event.type === "budget.exceeded")?.data ?? null;
    },
    staleTime: Infinity,
  });
