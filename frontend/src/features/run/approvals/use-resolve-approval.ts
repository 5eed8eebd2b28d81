import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { Approval } from "@/lib/api/types";
import { approvalKeys } from "@/lib/queries/approvals";
import { runKeys } from "@/lib/queries/runs";

import { setTextDraft } from "../store/text-drafts";

export interface ApprovalAnswer {
  action: "approve" | "revise" | "reject" | "answer";
  feedback?: string;
  /** With `answer`: what the code of the project receives. */
  answer?: string;
  /** With `approve`: replaces the agent's output. */
  edited?: string;
  /** With `approve`, for the call of a tool: replace the agent's. */
  arguments?: Record<string, unknown>;
  /** With `approve`, for the call of a tool: its later calls are allowed as well. */
  forRun?: boolean;
}

/** Names of the drafts that hold an unsent answer. */
export const feedbackDraftName = (approval: Approval) => `approval:${approval.id}`;
export const outputDraftName = (approval: Approval) => `approval-edit:${approval.id}`;

/** Answers an approval request. The approvals are refetched even if the answer is refused. */
export function useResolveApproval(approval: Approval) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (answer: ApprovalAnswer) => {
      const params = { path: { approval_id: approval.id } };
      return body(
        await api.POST("/api/v1/approvals/{approval_id}/resolve", { params, body: answer }),
      ).approval;
    },
    onSuccess: () => {
      setTextDraft(feedbackDraftName(approval), "");
      setTextDraft(outputDraftName(approval), "");
    },
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: approvalKeys.all }),
        queryClient.invalidateQueries({ queryKey: runKeys.detail(approval.runId), exact: true }),
      ]),
  });
}
