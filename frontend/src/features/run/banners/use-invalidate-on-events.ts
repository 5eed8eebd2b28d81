import { useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useEffect } from "react";

import { approvalKeys } from "@/lib/queries/approvals";
import { invalidateQuery } from "@/lib/queries/invalidate-query";
import { runKeys } from "@/lib/queries/runs";

import type { RunNow, RunStore } from "../store/run-store";

/**
 * Asks the server again for whatever the run's events say has changed. Where nobody looks, the answer is
 * only marked as old, so one such listener serves every tab.
 */
export function useRunNews(store: RunStore): void {
  const queries = useQueryClient();
  useEffect(() => {
    let seen = store.getNow();
    return store.subscribe(() => {
      const now = store.getNow();
      // Events that are only being read again say nothing new; the queries are as old as the last of them.
      if (!now.complete) return;
      for (const queryKey of outdated(store.runId, seen, now)) {
        void invalidateQuery(queries, queryKey);
      }
      seen = now;
    });
  }, [store, queries]);
}

type Told = Pick<
  RunNow,
  "status" | "tasks" | "messages" | "approvals" | "artifacts" | "budget" | "complete"
>;

/** The answers of the API that what was told between two moments has outdated. */
export function outdated(runId: string, before: Told, now: Told): QueryKey[] {
  const moved = now.status !== before.status;
  const keys: QueryKey[] = [];
  if (moved || now.budget !== before.budget) keys.push(runKeys.detail(runId));
  if (moved || now.tasks !== before.tasks) keys.push(runKeys.tasks(runId));
  if (moved) keys.push(runKeys.usage(runId));
  if (moved || now.messages !== before.messages) keys.push(runKeys.messages(runId));
  if (moved || now.approvals !== before.approvals) {
    keys.push(approvalKeys.forRun(runId), approvalKeys.open());
  }
  if (now.artifacts !== before.artifacts) keys.push(runKeys.artifacts(runId));
  return keys;
}
