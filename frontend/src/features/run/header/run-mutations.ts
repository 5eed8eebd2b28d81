import { useMutation, useMutationState, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import type { Run } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";
import { toast } from "@/lib/toast";

export type StopMode = "now" | "after-step";

const keyOf = (run: Run) => ["run-action", run.id];

/** The last thing asked of this run, if the server refused it. */
export function useRefusedAction(run: Run): unknown {
  const states = useMutationState({
    filters: { mutationKey: keyOf(run) },
    select: ({ state }) => state,
  });
  return states.at(-1)?.error ?? null;
}

export function useStopRun(run: Run) {
  const queries = useQueryClient();
  return useMutation({
    mutationKey: keyOf(run),
    mutationFn: async (mode: StopMode) => {
      const params = { path: { run_id: run.id } };
      try {
        return body(await api.POST("/api/v1/runs/{run_id}/stop", { params, body: { mode } }));
      } catch (error) {
        // It ended by itself in the meantime: what was wanted has come about.
        if (error instanceof ApiProblem && error.slug === "run-already-finished") return null;
        throw error;
      }
    },
    onSettled: () => queries.invalidateQueries({ queryKey: runKeys.detail(run.id), exact: true }),
  });
}

/** A new run with the same inputs. */
export function useRetryRun(run: Run) {
  const goTo = useGoToRun("Started again");
  return useMutation({
    mutationKey: keyOf(run),
    mutationFn: async () => {
      const params = { path: { run_id: run.id } };
      return body(await api.POST("/api/v1/runs/{run_id}/retry", { params, body: {} })).run;
    },
    onSuccess: goTo,
  });
}

/** A new run that takes over what was done before one of its tasks. */
export function useForkRun(run: Run) {
  const goTo = useGoToRun("Started from that step");
  return useMutation({
    mutationKey: keyOf(run),
    mutationFn: async ({ fromTask }: { fromTask: string }) => {
      const params = { path: { run_id: run.id } };
      const answer = await api.POST("/api/v1/runs/{run_id}/fork", { params, body: { fromTask } });
      return body(answer).run;
    },
    onSuccess: goTo,
  });
}

/** The same run goes on from its last finished task. */
export function useResumeRun(run: Run) {
  const queries = useQueryClient();
  return useMutation({
    mutationKey: keyOf(run),
    mutationFn: async () => {
      const params = { path: { run_id: run.id } };
      return body(await api.POST("/api/v1/runs/{run_id}/resume", { params, body: {} })).run;
    },
    onSuccess: (resumed) => {
      queries.setQueryData(runKeys.detail(run.id), resumed);
      toast.success("The run goes on");
    },
  });
}

function useGoToRun(words: string) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return (run: Run) => {
    queries.setQueryData(runKeys.detail(run.id), run);
    void queries.invalidateQueries({ queryKey: runKeys.lists() });
    toast.success(words);
    return navigate({ to: "/runs/$runId", params: { runId: run.id } });
  };
}
