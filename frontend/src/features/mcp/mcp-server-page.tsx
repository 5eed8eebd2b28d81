import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Pencil, PlugZap, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { McpServer } from "@/lib/api/types";
import { mcpServerQuery } from "@/lib/queries/mcp";
import { toast } from "@/lib/toast";

import { AuthorizationCard } from "./authorization-card";
import { ConnectionStages } from "./connection-stages";
import { ContentsCard } from "./contents-card";
import { useConnect, useDeleteServer } from "./server-requests";
import { ToolsCard } from "./tools-card";

const ServerDialog = lazy(async () => ({
  default: (await import("./server-dialog")).ServerDialog,
}));

const route = getRouteApi("/shell/tools/mcp/$serverId");

/** One MCP server: its connection, and the review of its tools. */
export function McpServerPage() {
  const { serverId } = route.useParams();
  const server = useQuery(mcpServerQuery(serverId));
  if (server.data) return <ServerView server={server.data} />;
  return (
    <Page title="MCP server">
      {server.isError ? (
        <ErrorPanel error={server.error} onRetry={() => server.refetch()} />
      ) : (
        <SkeletonRows rows={4} className="rounded-lg border bg-surface" />
      )}
    </Page>
  );
}

function ServerView({ server }: { server: McpServer }) {
  const connect = useConnect(server.id);
  const report = connect.isPending ? null : server.lastConnection;
  return (
    <Page
      title={server.name}
      heading={
        <span className="flex flex-wrap items-center gap-2">
          {server.name}
          {!server.isEnabled && <Badge>Off</Badge>}
        </span>
      }
      description={<span className="break-all">{server.url}</span>}
      actions={
        <>
          <Allowed scope="connections:write">
            <Button variant="primary" busy={connect.isPending} onClick={() => connect.mutate()}>
              {!connect.isPending && <PlugZap aria-hidden />}
              Connect
            </Button>
          </Allowed>
          <ServerActions server={server} />
        </>
      }
    >
      {connect.isError && <ErrorPanel error={connect.error} />}
      {server.auth === "oauth" && <AuthorizationCard server={server} />}
      <Card title="Connection">
        {connect.isPending || report ? (
          <ConnectionStages report={report} plainHttp={server.url.startsWith("http:")} />
        ) : (
          <p className="p-4 text-ink-soft">
            Not connected yet. Connect to read the list of its tools.
          </p>
        )}
      </Card>
      <ToolsCard server={server} />
      <ContentsCard server={server} />
    </Page>
  );
}

function ServerActions({ server }: { server: McpServer }) {
  const navigate = route.useNavigate();
  const [open, setOpen] = useState<"edit" | "delete" | null>(null);
  const close = () => setOpen(null);
  const remove = useDeleteServer(() => {
    toast.success(`${server.name} deleted.`);
    void navigate({ to: "/tools/mcp" });
  });
  return (
    <Allowed scope="connections:write">
      <Button onClick={() => setOpen("edit")}>
        <Pencil aria-hidden />
        Edit
      </Button>
      <Button onClick={() => setOpen("delete")}>
        <Trash2 aria-hidden />
        Delete
      </Button>
      {open === "edit" && (
        <Suspense>
          <ServerDialog server={server} onClose={close} onSaved={close} />
        </Suspense>
      )}
      <ConfirmDialog
        open={open === "delete"}
        onOpenChange={(next) => !next && close()}
        title={`Delete ${server.name}?`}
        description="Workflows that use its tools can no longer start. The stored credential and all approvals are deleted."
        action="Delete server"
        busy={remove.isPending}
        onConfirm={() => remove.mutate(server)}
      >
        {remove.isError && <ErrorPanel error={remove.error} className="mt-3" />}
      </ConfirmDialog>
    </Allowed>
  );
}
