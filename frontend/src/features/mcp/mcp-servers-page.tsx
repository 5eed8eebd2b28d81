import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Cable, FileInput, Plus } from "lucide-react";
import { lazy, Suspense, useState } from "react";

import { Allowed } from "@/components/allowed";
import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { TimeAgo } from "@/components/time-ago";
import { ToolTabs } from "@/components/tool-tabs";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { McpServer } from "@/lib/api/types";
import { mcpServersQuery } from "@/lib/queries/mcp";

import { summarizeTools } from "./tool-states";

const ImportDialog = lazy(async () => ({
  default: (await import("./import-dialog")).ImportDialog,
}));
const ServerDialog = lazy(async () => ({
  default: (await import("./server-dialog")).ServerDialog,
}));

const route = getRouteApi("/shell/tools/mcp");

/** The MCP servers of the workspace. */
export function McpServersPage() {
  const navigate = route.useNavigate();
  const [open, setOpen] = useState<"add" | "import" | null>(null);
  const close = () => setOpen(null);
  const list = useQuery(mcpServersQuery());
  const actions = (
    <Allowed scope="connections:write">
      <Button onClick={() => setOpen("import")}>
        <FileInput aria-hidden />
        Import
      </Button>
      <Button variant="primary" onClick={() => setOpen("add")}>
        <Plus aria-hidden />
        Add a server
      </Button>
    </Allowed>
  );
  return (
    <Page
      title="MCP servers"
      description="Servers whose tools your agents may use, after you have approved each tool."
      actions={actions}
    >
      <ToolTabs />
      {list.isPending ? (
        <SkeletonRows rows={3} className="rounded-lg border bg-surface" />
      ) : list.isError ? (
        <ErrorPanel error={list.error} onRetry={() => list.refetch()} />
      ) : list.data.length === 0 ? (
        <div className="rounded-lg border bg-surface">
          <EmptyState icon={Cable} title="No MCP servers yet">
            Add a server, connect it, and approve the tools that your agents may use.
          </EmptyState>
        </div>
      ) : (
        <Card>
          <ul aria-label="MCP servers" className="divide-y divide-line">
            {list.data.map((server) => (
              <ServerRow key={server.id} server={server} />
            ))}
          </ul>
        </Card>
      )}
      {open === "import" && (
        <Suspense>
          <ImportDialog onClose={close} />
        </Suspense>
      )}
      {open === "add" && (
        <Suspense>
          <ServerDialog
            onClose={close}
            onSaved={(server) =>
              void navigate({ to: "/tools/mcp/$serverId", params: { serverId: server.id } })
            }
          />
        </Suspense>
      )}
    </Page>
  );
}

function ServerRow({ server }: { server: McpServer }) {
  const last = server.lastConnection;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3">
      <div className="min-w-0 flex-1 basis-64">
        <Link
          to="/tools/mcp/$serverId"
          params={{ serverId: server.id }}
          className="font-medium hover:underline"
        >
          {server.name}
        </Link>
        <p className="break-all text-ink-soft">{server.url}</p>
      </div>
      <p className="text-ink-soft">{summarizeTools(server)}</p>
      <p className="flex flex-wrap items-center gap-2 text-xs text-ink-faint">
        {!server.isEnabled && <Badge>Off</Badge>}
        {last ? (
          <>
            <Badge tone={last.ok ? "ok" : "err"}>{last.ok ? "Connected" : "Failed"}</Badge>
            <TimeAgo at={last.at} />
          </>
        ) : (
          <Badge>Not connected yet</Badge>
        )}
      </p>
    </li>
  );
}
