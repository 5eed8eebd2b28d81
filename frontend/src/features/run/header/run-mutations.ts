import { useMutation, useMutationState, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import type { Run } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";
import { toast } from "@/lib/toast";

export type StopMode = "now" | "after-step";

const mutationKey = (run: Run) => ["run-action", run.id];

/** The error of the last action on this run; null if it succeeded. */
export function useRunActionError(run: Run): unknown {
  const states = useMutationState({
    filters: { mutationKey: mutationKey(run) },
    select: ({ state }) => state,
  });
  return states.at(-1)?.error ?? null;
}

export function useStopRun(run: Run) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationKey: mutationKey(run),
    mutationFn: async (mode: StopMode) => {
      const params = { path: { run_id: run.id } };
      try {
        return body(await api.POST("/api/v1/runs/{run_id}/stop", { params, body: { mode } }));
      } catch (error) {
        // The run finished in the meantime, so there is nothing left to stop.
        if (error instanceof ApiProblem && error.slug === "run-already-finished") return null;
        throw error;
      }
    },
    onSettled: () =>
      queryClient.invalidateQueries({ queryKey: runKeys.detail(run.id), exact: true }),
  });
}

/** Starts a new run with the same inputs. */
export function useRetryRun(run: Run) {
  const openNewRun = useOpenNewRun("New run started");
  return useMutation({
    mutationKey: mutationKey(run),
    mutationFn: async () => {
      const params = { path: { run_id: run.id } };
      return body(await api.POST("/api/v1/runs/{run_id}/retry", { params, body: {} })).run;
    },
    onSuccess: openNewRun,
  });
}

/** Starts a new run that reuses the results of the tasks before `fromTask`. */
export function useForkRun(run: Run) {
  const openNewRun = useOpenNewRun("New run started from this step");
  return useMutation({
    mutationKey: mutationKey(run),
    mutationFn: async ({ fromTask }: { fromTask: string }) => {
      const params = { path: { run_id: run.id } };
      const response = await api.POST("/api/v1/runs/{run_id}/fork", { params, body: { fromTask } });
      return body(response).run;
    },
    onSuccess: openNewRun,
  });
}

/** Continues the same run after its last finished task. Errors are shown in the header. */
export function useResumeRun(run: Run) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationKey: mutationKey(run),
    mutationFn: async () => {
      const params = { path: { run_id: run.id } };
      return body(await api.POST("/api/v1/runs/{run_id}/resume", { params, body: {} })).run;
    },
    onSuccess: (resumed) => {
      queryClient.setQueryData(runKeys.detail(run.id), resumed);
      toast.success("Run resumed");
    },
  });
}

function useOpenNewRun(message: string) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return (run: Run) => {
    queryClient.setQueryData(runKeys.detail(run.id), run);
    void queryClient.invalidateQueries({ queryKey: runKeys.lists() });
    toast.success(message);
    return navigate({ to: "/runs/$runId", params: { runId: run.id } });
  };
}
