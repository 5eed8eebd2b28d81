import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";

export const teamKeys = {
  me: ["me"] as const,
  sessions: ["me", "sessions"] as const,
  people: ["people"] as const,
  invitations: ["invitations"] as const,
  apiKeys: (own: boolean) => ["api-keys", own ? "own" : "workspace"] as const,
};

/** Who is signed in, in which workspace, with which scopes. */
export const meQuery = () =>
  queryOptions({
    queryKey: teamKeys.me,
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/me", { signal })),
    staleTime: 60_000,
  });

/** The browsers in which the caller is signed in. */
export const sessionsQuery = () =>
  queryOptions({
    queryKey: teamKeys.sessions,
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/me/sessions", { signal })).sessions,
  });

/** The people of the workspace, in pages. */
export const peopleQuery = () =>
  infiniteQueryOptions({
    queryKey: teamKeys.people,
    queryFn: async ({ signal, pageParam }) => {
      const query = pageParam ? { cursor: pageParam } : {};
      return body(await api.GET("/api/v1/people", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });

/** Open invitations, newest first. */
export const invitationsQuery = () =>
  queryOptions({
    queryKey: teamKeys.invitations,
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/invitations", { signal })).invitations,
  });

/** API keys of the workspace, or the caller's own, newest first, in pages. */
export const apiKeysQuery = (own: boolean) =>
  infiniteQueryOptions({
    queryKey: teamKeys.apiKeys(own),
    queryFn: async ({ signal, pageParam }) => {
      const options = { params: { query: pageParam ? { cursor: pageParam } : {} }, signal };
      return own
        ? body(await api.GET("/api/v1/me/api-keys", options))
        : body(await api.GET("/api/v1/api-keys", options));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
