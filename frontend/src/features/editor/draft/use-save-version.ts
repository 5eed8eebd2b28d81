import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import type { Workflow } from "@/lib/api/types";
import { workflowKeys } from "@/lib/queries/workflows";

export interface SaveRequest {
  text: string;
  /** The version on which the text is based; a newer one is a conflict. */
  base: number;
  note?: string;
}

/** Saves a text as the next version, unless a newer version than its base exists. */
export function useSaveVersion(
  workflowId: string,
  onSaved: (workflow: Workflow, request: SaveRequest) => void,
) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async ({ text, base, note }: SaveRequest) =>
      body(
        await api.PUT("/api/v1/workflows/{workflow_id}", {
          params: { path: { workflow_id: workflowId }, header: { "if-match": `"${base}"` } },
          body: { workflow: { yaml: text, note: note?.trim() ? note.trim() : null } },
        }),
      ),
    onSuccess: (workflow, request) => {
      queryClient.setQueryData(workflowKeys.detail(workflowId), workflow);
      onSaved(workflow, request);
      void queryClient.invalidateQueries({ queryKey: workflowKeys.versions(workflowId) });
      void queryClient.invalidateQueries({ queryKey: [...workflowKeys.all, "list"] });
    },
  });
}

/** Whether saving failed because a newer version exists. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 412;
}
