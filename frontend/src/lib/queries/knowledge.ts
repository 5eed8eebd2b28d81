import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { KnowledgeFile } from "@/lib/api/types";

export const knowledgeKeys = {
  all: ["knowledge"] as const,
  files: (workflowId: string) => [...knowledgeKeys.all, workflowId] as const,
};

export const memoryKeys = {
  all: ["memories"] as const,
  workflow: (workflowId: string) => [...memoryKeys.all, workflowId] as const,
  list: (workflowId: string, text: string) => [...memoryKeys.workflow(workflowId), text] as const,
};

const POLL_MS = 1_000;

export function isEmbedding({ state }: KnowledgeFile): boolean {
  return state === "queued" || state === "embedding";
}

/** The files that the agents of a workflow may search; polled while one is being embedded. */
export const knowledgeQuery = (workflowId: string) =>
  queryOptions({
    queryKey: knowledgeKeys.files(workflowId),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/workflows/{workflow_id}/knowledge", {
          params: { path: { workflow_id: workflowId } },
          signal,
        }),
      ),
    refetchInterval: ({ state }) => (state.data?.files.some(isEmbedding) ? POLL_MS : false),
  });

/** What the crew of a workflow remembers, newest first, in pages; `text` searches it. */
export const memoriesQuery = (workflowId: string, text: string) =>
  infiniteQueryOptions({
    queryKey: memoryKeys.list(workflowId, text),
    queryFn: async ({ signal, pageParam }) => {
      const query = { ...(text ? { q: text } : {}), ...(pageParam ? { cursor: pageParam } : {}) };
      const params = { path: { workflow_id: workflowId }, query };
      return body(await api.GET("/api/v1/workflows/{workflow_id}/memories", { params, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
