import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { RunListQuery } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

export const runKeys = {
  all: ["runs"] as const,
  lists: () => [...runKeys.all, "list"] as const,
  list: (filter: RunListQuery) => [...runKeys.lists(), filter] as const,
  detail: (id: string) => [...runKeys.all, "detail", id] as const,
  tasks: (id: string) => [...runKeys.detail(id), "tasks"] as const,
  usage: (id: string) => [...runKeys.detail(id), "usage"] as const,
  messages: (id: string) => [...runKeys.detail(id), "messages"] as const,
  artifacts: (id: string) => [...runKeys.detail(id), "artifacts"] as const,
  diff: (a: string, b: string) => [...runKeys.all, "diff", a, b] as const,
};

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: runKeys.detail(id),
    queryFn: async ({ signal }) => {
      const answer = await api.GET("/api/v1/runs/{run_id}", {
        params: { path: { run_id: id } },
        signal,
      });
      return body(answer).run;
    },
  });

/** Runs, newest first, in pages; polled more often while one of them is active. */
export const runsQuery = (filter: RunListQuery = {}) =>
  infiniteQueryOptions({
    queryKey: runKeys.list(filter),
    queryFn: async ({ signal, pageParam }) => {
      const query = { ...filter, ...(pageParam ? { cursor: pageParam } : {}) };
      return body(await api.GET("/api/v1/runs", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: (query) => {
      const runs = query.state.data?.pages.flatMap((page) => page.runs) ?? [];
      return runs.some((run) => !hasEnded(run.status)) ? 2_000 : 15_000;
    },
  });

export const runTasksQuery = (id: string) =>
  queryOptions({
    queryKey: runKeys.tasks(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/runs/{run_id}/tasks", { params: { path: { run_id: id } }, signal }),
      ).tasks,
  });

export const runUsageQuery = (id: string) =>
  queryOptions({
    queryKey: runKeys.usage(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/runs/{run_id}/usage", { params: { path: { run_id: id } }, signal }),
      ),
  });

/** User messages to the run with their delivery status, oldest first. */
export const runMessagesQuery = (id: string) =>
  queryOptions({
    queryKey: runKeys.messages(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/runs/{run_id}/messages", {
          params: { path: { run_id: id } },
          signal,
        }),
      ).messages,
  });

/** Files written by the run's tasks. */
export const runArtifactsQuery = (id: string) =>
  queryOptions({
    queryKey: runKeys.artifacts(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/runs/{run_id}/artifacts", {
          params: { path: { run_id: id } },
          signal,
        }),
      ).artifacts,
  });
