import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { lazy, Suspense } from "react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { ToolTabs } from "@/components/tool-tabs";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Connection, Tool } from "@/lib/api/types";
import { connectionsQuery, toolsQuery } from "@/lib/queries/tools";
import { toast } from "@/lib/toast";

import { ApiList } from "./api-list";
import { ConnectionList } from "./connection-list";
import { ToolCatalog } from "./tool-catalog";

// Loaded when they are opened.
const ConnectionDialog = lazy(async () => ({
  default: (await import("@/components/connections/connection-dialog")).ConnectionDialog,
}));
const RoleNeeded = lazy(async () => ({
  default: (await import("@/components/role-needed")).RoleNeeded,
}));
const TryDialog = lazy(async () => ({ default: (await import("./try-dialog")).TryDialog }));

const route = getRouteApi("/shell/tools");

/** The connections of tools, and the catalog of tools. */
export function ToolsPage() {
  const navigate = route.useNavigate();
  const add = (purpose: string) => void navigate({ search: { add: purpose } });
  const tools = useQuery(toolsQuery());
  const connections = useQuery(connectionsQuery());
  const error = tools.error ?? connections.error;
  return (
    <Page
      title="Tools"
      description="What agents can do besides writing, and the services they do it with."
      actions={
        <Allowed scope="connections:write">
          <Button variant="primary" onClick={() => add("any")}>
            <Plus aria-hidden />
            Add a connection
          </Button>
        </Allowed>
      }
    >
      <ToolTabs />
      {tools.data && connections.data ? (
        <>
          <ConnectionList
            connections={connections.data}
            onAdd={() => add("any")}
            onEdit={({ id }) => void navigate({ search: { edit: id } })}
          />
          <ApiList connections={connections.data} />
          <ToolCatalog
            tools={tools.data}
            onConnect={add}
            onTry={({ name }) => void navigate({ search: { try: name } })}
          />
          <Dialogs tools={tools.data} connections={connections.data} />
        </>
      ) : error ? (
        <ErrorPanel
          error={error}
          onRetry={() => void Promise.all([tools.refetch(), connections.refetch()])}
        />
      ) : (
        <SkeletonRows rows={6} className="rounded-lg border bg-surface" />
      )}
    </Page>
  );
}

/** The dialog that the URL names. */
function Dialogs({ tools, connections }: { tools: Tool[]; connections: Connection[] }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const close = () => void navigate({ search: {} });
  const edited = connections.find(({ id }) => id === search.edit);
  const tried = tools.find(({ name }) => name === search.try);
  const saved = ({ name }: Connection) => {
    toast.success(`${name} saved.`);
    close();
  };
  return (
    <Suspense>
      {(search.add || edited) && (
        <Allowed scope="connections:write" otherwise={<RoleNeeded scope="connections:write" />}>
          <ConnectionDialog
            key={edited?.id ?? search.add}
            connection={edited}
            purpose={search.add}
            taken={connections.map(({ name }) => name)}
            onClose={close}
            onSaved={saved}
          />
        </Allowed>
      )}
      {tried && (
        <Allowed scope="tools:try" otherwise={<RoleNeeded scope="tools:try" />}>
          <TryDialog key={tried.name} tool={tried} onClose={close} />
        </Allowed>
      )}
    </Suspense>
  );
}
