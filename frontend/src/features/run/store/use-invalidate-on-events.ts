import { useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useEffect } from "react";

import { approvalKeys } from "@/lib/queries/approvals";
import { invalidateQuery } from "@/lib/queries/invalidate-query";
import { runKeys } from "@/lib/queries/runs";

import type { RunStore, RunStoreState } from "./run-store";

/** Invalidates the queries whose data has changed according to the run's events. */
export function useInvalidateOnEvents(store: RunStore): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    let previous = store.state.getState();
    return store.state.subscribe((state) => {
      // Replayed events are older than the data of the queries.
      if (!state.isComplete) return;
      for (const queryKey of staleQueryKeys(store.runId, previous, state)) {
        void invalidateQuery(queryClient, queryKey);
      }
      previous = state;
    });
  }, [store, queryClient]);
}

type ObservedState = Pick<
  RunStoreState,
  "status" | "tasks" | "messageVersion" | "approvalVersion" | "artifactVersion" | "budgetVersion"
>;

/** The keys of the queries that became stale between two states of a run. */
export function staleQueryKeys(
  runId: string,
  before: ObservedState,
  after: ObservedState,
): QueryKey[] {
  const statusChanged = after.status !== before.status;
  const keys: QueryKey[] = [];
  if (statusChanged || after.budgetVersion !== before.budgetVersion) {
    keys.push(runKeys.detail(runId));
  }
  if (statusChanged || after.tasks !== before.tasks) keys.push(runKeys.tasks(runId));
  if (statusChanged) keys.push(runKeys.usage(runId));
  if (statusChanged || after.messageVersion !== before.messageVersion) {
    keys.push(runKeys.messages(runId));
  }
  if (statusChanged || after.approvalVersion !== before.approvalVersion) {
    keys.push(approvalKeys.forRun(runId), approvalKeys.open());
  }
  if (after.artifactVersion !== before.artifactVersion) keys.push(runKeys.artifacts(runId));
  return keys;
}
