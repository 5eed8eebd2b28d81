import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import type { Workflow } from "@/lib/api/types";
import { workflowKeys } from "@/lib/queries/workflows";

export interface SaveOrder {
  text: string;
  /** The version that may be followed; a newer one is a conflict. */
  base: number;
  note?: string;
}

/** Saves a text as the next version; never over somebody else's. */
export function useSave(
  workflowId: string,
  onSaved: (workflow: Workflow, order: SaveOrder) => void,
) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async ({ text, base, note }: SaveOrder) =>
      body(
        await api.PUT("/api/v1/workflows/{workflow_id}", {
          params: { path: { workflow_id: workflowId }, header: { "if-match": `"${base}"` } },
          body: { workflow: { yaml: text, note: note?.trim() ? note.trim() : null } },
        }),
      ),
    onSuccess: (workflow, order) => {
      queryClient.setQueryData(workflowKeys.detail(workflowId), workflow);
      onSaved(workflow, order);
      void queryClient.invalidateQueries({ queryKey: workflowKeys.versions(workflowId) });
      void queryClient.invalidateQueries({ queryKey: [...workflowKeys.all, "list"] });
    },
  });
}

/** Somebody saved a version in the meantime. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 412;
}
