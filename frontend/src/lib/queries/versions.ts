import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";

import { workflowKeys } from "./workflows";

/** Versions of a workflow, newest first, in pages. */
export const versionsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: workflowKeys.versions(id),
    queryFn: async ({ signal, pageParam }) => {
      const params = { path: { workflow_id: id }, query: pageParam ? { cursor: pageParam } : {} };
      return body(await api.GET("/api/v1/workflows/{workflow_id}/versions", { params, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });

/** One version of a workflow; versions are immutable. */
export const versionQuery = (id: string, number: number) =>
  queryOptions({
    queryKey: [...workflowKeys.versions(id), "read", number] as const,
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/workflows/{workflow_id}/versions/{number}", {
          params: { path: { workflow_id: id, number } },
          signal,
        }),
      ),
    staleTime: Infinity,
  });

/** Differences between two versions. */
export const versionDiffQuery = (id: string, from: number, to: number) =>
  queryOptions({
    queryKey: [...workflowKeys.versions(id), "diff", from, to] as const,
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/workflows/{workflow_id}/versions/diff", {
          params: { path: { workflow_id: id }, query: { from, to } },
          signal,
        }),
      ),
    staleTime: Infinity,
  });
