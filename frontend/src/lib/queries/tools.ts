import { queryOptions, type QueryClient } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";

const toolKeys = { all: ["tools"] as const };
const apiKeys = { all: ["apis"] as const };
const connectionKeys = { all: ["connections"] as const };

/** Every tool that workflows may name, also those that need a connection first. */
export const toolsQuery = () =>
  queryOptions({
    queryKey: toolKeys.all,
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/tools", { signal })).tools,
  });

/** All connections: one page of 200 is enough. */
export const connectionsQuery = () =>
  queryOptions({
    queryKey: connectionKeys.all,
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/connections", { params: { query: { limit: 200 } }, signal }))
        .connections,
  });

/** The HTTP APIs whose operations are tools. */
export const apisQuery = () =>
  queryOptions({
    queryKey: apiKeys.all,
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/apis", { signal })).apis,
  });

/** Refetches what a changed connection changes: tools, and whether runs can start. */
export async function refreshTools(client: QueryClient): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: toolKeys.all }),
    client.invalidateQueries({ queryKey: connectionKeys.all }),
    client.invalidateQueries({ queryKey: apiKeys.all }),
    client.invalidateQueries({ queryKey: ["preflight"] }),
  ]);
}
