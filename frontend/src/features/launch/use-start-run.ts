import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";

import { api, body } from "@/lib/api/client";
import type { Budget } from "@/lib/api/types";
import { uploadFile } from "@/lib/api/upload";
import { createRandomKey } from "@/lib/random-key";
import { runKeys } from "@/lib/queries/runs";
import { workflowKeys } from "@/lib/queries/workflows";

import { createStartForm } from "./run-files";

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
export function useStartRun(onStarted: (runId: string) => void, files: readonly File[] = []) {
  const queryClient = useQueryClient();
  const sent = useRef<{ text: string; key: string } | null>(null);

  const getIdempotencyKey = (request: RunRequest): string => {
    const text = JSON.stringify([request, files.map(describeFile)]);
    if (sent.current?.text !== text) sent.current = { text, key: createRandomKey() };
    return sent.current.key;
  };

  return useMutation({
    mutationFn: async (request: RunRequest) => {
      const headers = { "Idempotency-Key": getIdempotencyKey(request) };
      if (files.length === 0) {
        return body(await api.POST("/api/v1/runs", { body: request as never, headers }));
      }
      return uploadFile<{ runId: string }>({
        path: "/api/v1/runs/with-files",
        body: createStartForm(request, files),
        headers,
      });
    },
    onSuccess: async ({ runId }) => {
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: runKeys.lists() }),
        queryClient.invalidateQueries({ queryKey: workflowKeys.all, refetchType: "none" }),
      ]);
      onStarted(runId);
    },
  });
}

function describeFile({ name, size, lastModified }: File): [string, number, number] {
  return [name, size, lastModified];
}
