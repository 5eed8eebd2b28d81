import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";

export const workflowKeys = {
  all: ["workflows"] as const,
  list: (text: string) => [...workflowKeys.all, "list", text] as const,
  detail: (id: string) => [...workflowKeys.all, "detail", id] as const,
  versions: (id: string) => [...workflowKeys.detail(id), "versions"] as const,
  templates: () => ["templates"] as const,
};

export const workflowQuery = (id: string) =>
  queryOptions({
    queryKey: workflowKeys.detail(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/workflows/{workflow_id}", {
          params: { path: { workflow_id: id } },
          signal,
        }),
      ),
  });

/** Saved workflows, most recently changed first, in pages; `text` searches their names. */
export const workflowsQuery = (text = "") =>
  infiniteQueryOptions({
    queryKey: workflowKeys.list(text),
    queryFn: async ({ signal, pageParam }) => {
      const query = { ...(text ? { text } : {}), ...(pageParam ? { cursor: pageParam } : {}) };
      return body(await api.GET("/api/v1/workflows", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });

export const templatesQuery = () =>
  queryOptions({
    queryKey: workflowKeys.templates(),
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/templates", { signal })).templates,
    staleTime: Infinity,
  });
