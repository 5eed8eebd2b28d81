import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Braces, Plus, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";

import { Allowed } from "@/components/allowed";
import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { IconButton } from "@/components/ui/icon-button";
import type { Connection, HttpApi } from "@/lib/api/types";
import { apisQuery, refreshTools } from "@/lib/queries/tools";
import { toast } from "@/lib/toast";

import { deleteApi } from "./api-requests";

const ApiDialog = lazy(async () => ({ default: (await import("./api-dialog")).ApiDialog }));

/** The HTTP APIs whose operations are tools. */
export function ApiList({ connections }: { connections: Connection[] }) {
  const apis = useQuery(apisQuery());
  const [isAdding, setIsAdding] = useState(false);
  const [deleted, setDeleted] = useState<HttpApi | null>(null);
  const addButton = (
    <Allowed scope="connections:write">
      <Button size="sm" onClick={() => setIsAdding(true)}>
        <Plus aria-hidden />
        Add an API
      </Button>
    </Allowed>
  );
  return (
    <Card title="APIs" actions={apis.data?.length ? addButton : undefined}>
      {apis.error ? (
        <ErrorPanel error={apis.error} onRetry={() => apis.refetch()} />
      ) : apis.data?.length === 0 ? (
        <EmptyState icon={Braces} title="No APIs yet" actions={addButton}>
          Paste an OpenAPI 3 document, and choose the operations that agents may use as tools.
        </EmptyState>
      ) : (
        <ul aria-label="APIs" className="divide-y divide-line">
          {apis.data?.map((one) => (
            <ApiRow key={one.id} api={one} onDelete={() => setDeleted(one)} />
          ))}
        </ul>
      )}
      {isAdding && (
        <Suspense>
          <ApiDialog connections={connections} onClose={() => setIsAdding(false)} />
        </Suspense>
      )}
      {deleted && <DeleteApiDialog api={deleted} onClose={() => setDeleted(null)} />}
    </Card>
  );
}

function ApiRow({ api, onDelete }: { api: HttpApi; onDelete: () => void }) {
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <p className="font-medium break-words">{api.title}</p>
        <p className="text-xs break-all text-ink-soft">
          {api.tools.map(({ tool }) => tool).join(", ")}
        </p>
      </div>
      <Allowed scope="connections:write">
        <IconButton size="icon-sm" label={`Delete ${api.title}`} onClick={onDelete}>
          <Trash2 aria-hidden />
        </IconButton>
      </Allowed>
    </li>
  );
}

function DeleteApiDialog({ api, onClose }: { api: HttpApi; onClose: () => void }) {
  const client = useQueryClient();
  const deleting = useMutation({
    mutationFn: () => deleteApi(api),
    onSuccess: async () => {
      await refreshTools(client);
      toast.success(`${api.title} deleted.`);
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
      title={`Delete ${api.title}?`}
      description="Workflows that use its tools will no longer start."
      action="Delete API"
      busy={deleting.isPending}
      onConfirm={() => deleting.mutate()}
    >
      {deleting.error && <ErrorPanel error={deleting.error} className="mt-4" />}
    </ConfirmDialog>
  );
}
