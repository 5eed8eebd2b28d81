import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";

export type Insights = components["schemas"]["Insights"];
export type Bucket = components["schemas"]["InsightBucket"];
export type WorkflowInsight = components["schemas"]["WorkflowInsight"];
export type Period = Insights["period"];

/** Insights into the runs of a period, polled twice a minute. */
export const insightsQuery = (period: Period) =>
  queryOptions({
    queryKey: ["insights", period] as const,
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/insights", { params: { query: { period } }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
