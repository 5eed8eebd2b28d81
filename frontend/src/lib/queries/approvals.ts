import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";

export const approvalKeys = {
  all: ["approvals"] as const,
  open: () => [...approvalKeys.all, "open"] as const,
  forRun: (runId: string) => [...approvalKeys.all, "run", runId] as const,
};

/** Open approval requests of all runs that the caller is asked to answer, or those of others. */
export const openApprovalsQuery = (mine = true) =>
  queryOptions({
    queryKey: [...approvalKeys.open(), mine ? "mine" : "of-others"],
    queryFn: async ({ signal }) => {
      const params = { query: { status: "open", mine } as const };
      return body(await api.GET("/api/v1/approvals", { params, signal })).approvals;
    },
    refetchInterval: 5_000,
  });

/** Approval requests of one run, resolved ones included. */
export const runApprovalsQuery = (runId: string) =>
  queryOptions({
    queryKey: approvalKeys.forRun(runId),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/approvals", { params: { query: { runId } }, signal })).approvals,
  });
