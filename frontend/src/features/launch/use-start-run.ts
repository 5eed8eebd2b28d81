import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";

import { api, body } from "@/lib/api/client";
import type { Budget } from "@/lib/api/types";
import { createRandomKey } from "@/lib/random-key";
import { runKeys } from "@/lib/queries/runs";
import { workflowKeys } from "@/lib/queries/workflows";

export interface RunRequest {
  /** One of the two is given. */
  workflowId?: string;
  projectId?: string;
  version: number;
  inputs: Record<string, unknown>;
  budget: Budget | null;
  metadata: Record<string, unknown>;
}

/**
 * Starts a run. Repeated requests with the same values send the same idempotency key, so that a second
 * click, or a retry after a lost response, does not start a second run.
 */
export function useStartRun(onStarted: (runId: string) => void) {
  const queryClient = useQueryClient();
  const sent = useRef<{ text: string; key: string } | null>(null);

  const getIdempotencyKey = (request: RunRequest): string => {
    const text = JSON.stringify(request);
    if (sent.current?.text !== text) sent.current = { text, key: createRandomKey() };
    return sent.current.key;
  };

  return useMutation({
    mutationFn: async (request: RunRequest) =>
      body(
        await api.POST("/api/v1/runs", {
          body: request as never,
          headers: { "Idempotency-Key": getIdempotencyKey(request) },
        }),
      ),
    onSuccess: async ({ runId }) => {
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: runKeys.lists() }),
        queryClient.invalidateQueries({ queryKey: workflowKeys.all, refetchType: "none" }),
      ]);
      onStarted(runId);
    },
  });
}
