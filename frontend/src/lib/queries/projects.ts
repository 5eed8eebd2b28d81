import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { BuildState } from "@/lib/api/types";

export const projectKeys = {
  all: ["projects"] as const,
  lists: () => [...projectKeys.all, "list"] as const,
  list: (text: string) => [...projectKeys.lists(), text] as const,
  detail: (id: string) => [...projectKeys.all, "detail", id] as const,
  versions: (id: string) => [...projectKeys.detail(id), "versions"] as const,
  version: (id: string, number: number) => [...projectKeys.detail(id), "version", number] as const,
  secrets: (id: string) => [...projectKeys.detail(id), "secrets"] as const,
  /** What the last upload in this tab reported. */
  upload: (id: string) => ["project-upload", id] as const,
};

export function isBuilding(state: BuildState): boolean {
  return state === "queued" || state === "building";
}

const BUILD_POLL_MS = 2_000;

/** Projects, newest first, in pages; polled while one of them is being built. */
export const projectsQuery = (text = "") =>
  infiniteQueryOptions({
    queryKey: projectKeys.list(text),
    queryFn: async ({ signal, pageParam }) => {
      const query = { ...(text ? { q: text } : {}), ...(pageParam ? { cursor: pageParam } : {}) };
      return body(await api.GET("/api/v1/projects", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: (query) => {
      const projects = query.state.data?.pages.flatMap((page) => page.projects) ?? [];
      return projects.some(({ status }) => isBuilding(status)) ? BUILD_POLL_MS : 30_000;
    },
  });

/** A project with its newest version; polled while that is being built. */
export const projectQuery = (id: string) =>
  queryOptions({
    queryKey: projectKeys.detail(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/projects/{project_id}", {
          params: { path: { project_id: id } },
          signal,
        }),
      ).project,
    refetchInterval: ({ state }) =>
      state.data && isBuilding(state.data.status) ? BUILD_POLL_MS : false,
  });

/** Versions of a project, newest first, in pages. */
export const projectVersionsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: projectKeys.versions(id),
    queryFn: async ({ signal, pageParam }) => {
      const params = { path: { project_id: id }, query: pageParam ? { cursor: pageParam } : {} };
      return body(await api.GET("/api/v1/projects/{project_id}/versions", { params, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: ({ state }) => {
      const versions = state.data?.pages.flatMap((page) => page.versions) ?? [];
      return versions.some(({ status }) => isBuilding(status)) ? BUILD_POLL_MS : false;
    },
  });

/** A version with its inspection and its newest build. */
export const projectVersionQuery = (id: string, number: number) =>
  queryOptions({
    queryKey: projectKeys.version(id, number),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/projects/{project_id}/versions/{number}", {
          params: { path: { project_id: id, number } },
          signal,
        }),
      ).version,
    refetchInterval: ({ state }) =>
      state.data && isBuilding(state.data.status) ? BUILD_POLL_MS : false,
  });

/** Names of a project's secrets; the API never returns their values. */
export const projectSecretsQuery = (id: string) =>
  queryOptions({
    queryKey: projectKeys.secrets(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/projects/{project_id}/secrets", {
          params: { path: { project_id: id } },
          signal,
        }),
      ).secrets,
  });
