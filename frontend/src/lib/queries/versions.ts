import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";

import { workflowKeys } from "./workflows";

/** The saves of a workflow, newest first, page by page. */
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

/** One save; it never changes. */
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

/** What changed between two saves; neither will change, so the answer is kept. */
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
