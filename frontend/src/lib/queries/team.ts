import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";

export const teamKeys = {
  me: ["me"] as const,
  sessions: ["me", "sessions"] as const,
  identities: ["me", "identities"] as const,
  people: ["people"] as const,
  invitations: ["invitations"] as const,
  workspace: ["workspace", "settings"] as const,
  quotas: ["workspace", "quotas"] as const,
  workspaces: ["workspaces"] as const,
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

/** The name and the settings of the workspace. */
export const workspaceQuery = () =>
  queryOptions({
    queryKey: teamKeys.workspace,
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/workspace", { signal })).workspace,
  });

/** What the workspace may use, and what it uses. */
export const quotasQuery = () =>
  queryOptions({
    queryKey: teamKeys.quotas,
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/workspace/quotas", { signal })),
  });

/** All workspaces of the server with what they may use and what they use, for administrators. */
export const workspacesQuery = () =>
  queryOptions({
    queryKey: teamKeys.workspaces,
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/workspaces", { signal })).workspaces,
  });

/** The limits of any workspace, for administrators. */
export const quotasOfWorkspaceQuery = (workspaceId: string) =>
  queryOptions({
    queryKey: [...teamKeys.workspaces, workspaceId],
    queryFn: async ({ signal }) => {
      const params = { path: { workspace_id: workspaceId } };
      return body(await api.GET("/api/v1/workspaces/{workspace_id}/quotas", { params, signal }));
    },
    gcTime: 0,
  });

/** The accounts at issuers with which the caller signs in. */
export const identitiesQuery = () =>
  queryOptions({
    queryKey: teamKeys.identities,
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/me/identities", { signal })).identities,
  });

/** How one can sign in to this server. */
export const signInOptionsQuery = () =>
  queryOptions({
    queryKey: ["sign-in-options"],
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/sign-in/options", { signal })),
    staleTime: 60_000,
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
