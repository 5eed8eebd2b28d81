import { useMutation, useQueryClient, type QueryClient } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { McpServer, McpTool } from "@/lib/api/types";
import { mcpKeys } from "@/lib/queries/mcp";

export interface ServerValues {
  name: string;
  url: string;
  auth: McpServer["auth"];
  headerName: string;
  /** Empty keeps a stored credential. */
  credential: string;
  oauthClientId: string;
  /** Empty keeps a stored one. */
  oauthClientSecret: string;
  timeoutSeconds: number;
  isEnabled: boolean;
}

export function serverValues(server: McpServer | undefined): ServerValues {
  return {
    name: server?.name ?? "",
    url: server?.url ?? "",
    auth: server?.auth ?? "none",
    headerName: server?.headerName ?? "",
    credential: "",
    oauthClientId: server?.oauthClientId ?? "",
    oauthClientSecret: "",
    timeoutSeconds: server?.timeoutSeconds ?? 60,
    isEnabled: server?.isEnabled ?? true,
  };
}

/** Stores a server: a new one, or over the version that was shown. */
export async function saveServer(
  values: ServerValues,
  server: McpServer | undefined,
): Promise<McpServer> {
  const { credential, headerName, oauthClientId, oauthClientSecret, ...rest } = values;
  const hasCredential = rest.auth === "bearer" || rest.auth === "header";
  const clientId = rest.auth === "oauth" ? oauthClientId.trim() : "";
  const request = {
    ...rest,
    name: rest.name.trim(),
    url: rest.url.trim(),
    headerName: rest.auth === "header" ? headerName.trim() : null,
    oauthClientId: clientId || null,
    ...(credential && hasCredential ? { credential } : {}),
    ...(clientId && oauthClientSecret ? { oauthClientSecret } : {}),
  };
  if (!server) return body(await api.POST("/api/v1/mcp/servers", { body: request })).server;
  return body(
    await api.PUT("/api/v1/mcp/servers/{mcp_server_id}", {
      params: {
        path: { mcp_server_id: server.id },
        header: { "if-match": `"${server.version}"` },
      },
      body: request,
    }),
  );
}

export function refreshServers(client: QueryClient): Promise<void> {
  return client.invalidateQueries({ queryKey: mcpKeys.all });
}

/** Connects to a server and reads its list of tools. */
export function useConnect(serverId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/mcp/servers/{mcp_server_id}/connect", {
          params: { path: { mcp_server_id: serverId } },
        }),
      ),
    onSettled: () => refreshServers(client),
  });
}

/** Approves tools as they are shown, or switches them off. */
export function useReview(serverId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ tools, use }: { tools: McpTool[]; use: boolean }) => {
      const reviews = tools.map(({ name, digest }) => ({ name, digest: digest ?? "", use }));
      await api.POST("/api/v1/mcp/servers/{mcp_server_id}/tools/review", {
        params: { path: { mcp_server_id: serverId } },
        body: { reviews },
      });
    },
    onSettled: () => refreshServers(client),
  });
}

export function useDeleteServer(onDeleted: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (server: McpServer) => {
      await api.DELETE("/api/v1/mcp/servers/{mcp_server_id}", {
        params: { path: { mcp_server_id: server.id } },
      });
    },
    onSuccess: async () => {
      onDeleted();
      await refreshServers(client);
    },
  });
}

/** Begins an authorization; the browser continues at the authorization server. */
export function useAuthorize(serverId: string) {
  return useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/mcp/servers/{mcp_server_id}/authorize", {
          params: { path: { mcp_server_id: serverId } },
        }),
      ).url,
    gcTime: 0,
    onSuccess: (url) => location.assign(url),
  });
}
