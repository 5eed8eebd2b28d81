import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Cable, Pencil, PlugZap, Trash2 } from "lucide-react";
import { useState } from "react";

import { Allowed } from "@/components/allowed";
import { CONNECTION_KINDS, PURPOSE_TITLES } from "@/components/connections/connection-kinds";
import { deleteConnection, testConnection } from "@/components/connections/connection-requests";
import { TestOutcome } from "@/components/connections/test-outcome";
import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { IconButton } from "@/components/ui/icon-button";
import type { Connection } from "@/lib/api/types";
import { refreshTools } from "@/lib/queries/tools";
import { toast } from "@/lib/toast";

interface Props {
  connections: Connection[];
  onAdd: () => void;
  onEdit: (connection: Connection) => void;
}

/** The connections of the workspace. */
export function ConnectionList({ connections, onAdd, onEdit }: Props) {
  const [deleted, setDeleted] = useState<Connection | null>(null);
  return (
    <Card title="Connections">
      {connections.length === 0 ? (
        <EmptyState
          icon={Cable}
          title="No connections yet"
          actions={
            <Allowed scope="connections:write">
              <Button onClick={onAdd}>Add a connection</Button>
            </Allowed>
          }
        >
          Connect a search service, an API or a channel. Agents use it, and never see its key.
        </EmptyState>
      ) : (
        <ul aria-label="Connections" className="divide-y divide-line">
          {connections.map((connection) => (
            <ConnectionRow
              key={connection.id}
              connection={connection}
              onEdit={() => onEdit(connection)}
              onDelete={() => setDeleted(connection)}
            />
          ))}
        </ul>
      )}
      {deleted && <DeleteDialog connection={deleted} onClose={() => setDeleted(null)} />}
    </Card>
  );
}

interface RowProps {
  connection: Connection;
  onEdit: () => void;
  onDelete: () => void;
}

function ConnectionRow({ connection, onEdit, onDelete }: RowProps) {
  const test = useMutation({ mutationFn: () => testConnection(connection.id) });
  const { name, kind, purpose, baseUrl, hasSecret, secretHint, isDefault } = connection;
  return (
    <li className="grid gap-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <div className="min-w-0 flex-1 basis-56">
          <p className="flex flex-wrap items-center gap-2 font-medium">
            <span className="break-words">{name}</span>
            {isDefault && purpose === "search" && <Badge tone="accent">Web search</Badge>}
          </p>
          <p className="text-ink-soft">
            {[
              CONNECTION_KINDS[kind].title !== name && CONNECTION_KINDS[kind].title,
              purpose !== "search" && PURPOSE_TITLES[purpose],
              baseUrl,
              hasSecret ? `key stored${secretHint ? ` …${secretHint}` : ""}` : "no key",
            ]
              .filter(Boolean)
              .join(" · ")}
          </p>
        </div>
        <Allowed scope="connections:write">
          <div className="flex items-center gap-1">
            <Button size="sm" busy={test.isPending} onClick={() => test.mutate()}>
              {!test.isPending && <PlugZap aria-hidden />}
              <span>
                Test<span className="sr-only"> {name}</span>
              </span>
            </Button>
            <IconButton size="icon-sm" label={`Edit ${name}`} onClick={onEdit}>
              <Pencil aria-hidden />
            </IconButton>
            <IconButton size="icon-sm" label={`Delete ${name}`} onClick={onDelete}>
              <Trash2 aria-hidden />
            </IconButton>
          </div>
        </Allowed>
      </div>
      {test.error && <ErrorPanel error={test.error} />}
      {test.data && !test.isPending && <TestOutcome report={test.data} />}
    </li>
  );
}

function DeleteDialog({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const client = useQueryClient();
  const deleting = useMutation({
    mutationFn: () => deleteConnection(connection),
    onSuccess: async () => {
      await refreshTools(client);
      toast.success(`${connection.name} deleted.`);
      onClose();
      // The button that opened the dialog no longer exists.
      document.getElementById("main")?.focus();
    },
    onError: () => refreshTools(client),
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Delete ${connection.name}?`}
      description="Its key is deleted too. Workflows whose tools need it will no longer start."
      action="Delete connection"
      busy={deleting.isPending}
      onConfirm={() => deleting.mutate()}
    >
      {deleting.error && <ErrorPanel error={deleting.error} className="mt-4" />}
    </ConfirmDialog>
  );
}
