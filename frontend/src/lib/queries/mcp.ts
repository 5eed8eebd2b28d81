import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";

export const mcpKeys = {
  all: ["mcp"] as const,
  servers: () => [...mcpKeys.all, "servers"] as const,
  server: (id: string) => [...mcpKeys.servers(), id] as const,
  tools: (id: string) => [...mcpKeys.server(id), "tools"] as const,
};

const serverListQuery = () =>
  queryOptions({
    queryKey: mcpKeys.servers(),
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/mcp/servers", { signal })),
  });

/** All MCP servers of the workspace, by name. */
export const mcpServersQuery = () =>
  queryOptions({ ...serverListQuery(), select: ({ servers }) => servers });

/** The names of the commands that can be MCP servers. */
export const mcpCommandsQuery = () =>
  queryOptions({ ...serverListQuery(), select: ({ commands }) => commands });

export const mcpServerQuery = (id: string) =>
  queryOptions({
    queryKey: mcpKeys.server(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/mcp/servers/{mcp_server_id}", {
          params: { path: { mcp_server_id: id } },
          signal,
        }),
      ),
  });

/** What a server lists, and what was approved of it. */
export const mcpServerToolsQuery = (id: string) =>
  queryOptions({
    queryKey: mcpKeys.tools(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/mcp/servers/{mcp_server_id}/tools", {
          params: { path: { mcp_server_id: id } },
          signal,
        }),
      ).tools,
  });
