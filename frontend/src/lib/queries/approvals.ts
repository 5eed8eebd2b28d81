import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";

export const approvalKeys = {
  all: ["approvals"] as const,
  open: () => [...approvalKeys.all, "open"] as const,
  forRun: (runId: string) => [...approvalKeys.all, "run", runId] as const,
};

/** Open approval requests of all runs. */
export const openApprovalsQuery = () =>
  queryOptions({
    queryKey: approvalKeys.open(),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/approvals", { params: { query: { status: "open" } }, signal }))
        .approvals,
    refetchInterval: 5_000,
  });

/** Approval requests of one run, resolved ones included. */
export const runApprovalsQuery = (runId: string) =>
  queryOptions({
    queryKey: approvalKeys.forRun(runId),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/approvals", { params: { query: { runId } }, signal })).approvals,
  });
