import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { Approval } from "@/lib/api/types";
import { approvalKeys } from "@/lib/queries/approvals";
import { runKeys } from "@/lib/queries/runs";

import { setDraft } from "../store/text-drafts";

export interface Verdict {
  action: "approve" | "revise" | "reject";
  feedback?: string;
  /** With `approve`: taken instead of what the agent wrote. */
  edited?: string;
}

/** Where the words to an approval are kept until they are sent. */
export const feedbackDraft = (approval: Approval) => `approval:${approval.id}`;
export const editedDraft = (approval: Approval) => `approval-edit:${approval.id}`;

/** Answers a question of a run; every list of questions then looks again, refused or not. */
export function useResolve(approval: Approval) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (verdict: Verdict) => {
      const params = { path: { approval_id: approval.id } };
      return body(
        await api.POST("/api/v1/approvals/{approval_id}/resolve", { params, body: verdict }),
      ).approval;
    },
    onSuccess: () => {
      setDraft(feedbackDraft(approval), "");
      setDraft(editedDraft(approval), "");
    },
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: approvalKeys.all }),
        queries.invalidateQueries({ queryKey: runKeys.detail(approval.runId), exact: true }),
      ]),
  });
}
