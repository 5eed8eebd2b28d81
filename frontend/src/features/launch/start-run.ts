import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";

import { api, body } from "@/lib/api/client";
import type { Budget } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";
import { workflowKeys } from "@/lib/queries/workflows";

export interface Launch {
  workflowId: string;
  version: number;
  inputs: Record<string, unknown>;
  budget: Budget | null;
  metadata: Record<string, unknown>;
}

/** Starts a run, once for what stands in the form: a second click, or a try after a lost answer, makes no second run. */
export function useStartRun(onStarted: (runId: string) => void) {
  const queryClient = useQueryClient();
  const sent = useRef<{ text: string; key: string } | null>(null);

  const keyFor = (launch: Launch): string => {
    const text = JSON.stringify(launch);
    if (sent.current?.text !== text) sent.current = { text, key: randomKey() };
    return sent.current.key;
  };

  return useMutation({
    mutationFn: async (launch: Launch) =>
      body(
        await api.POST("/api/v1/runs", {
          body: launch as never,
          headers: { "Idempotency-Key": keyFor(launch) },
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

/** `crypto.randomUUID` is missing where the product is served over plain HTTP. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
