import { useMutation, useQueryClient } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { ApiProblem } from "@/lib/api/problem";
import type { Model, Provider } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

import { isVersionConflict } from "./show-field-errors";
import {
  deleteModel,
  deleteProvider,
  refreshCatalog,
  storeConnectionTest,
} from "./provider-requests";

interface ProviderProps {
  provider: Provider;
  onClose: () => void;
  onDeleted: (name: string) => void;
}

/** Confirms the deletion; asks again when models use the provider. */
export function DeleteProviderDialog({ provider, onClose, onDeleted }: ProviderProps) {
  const client = useQueryClient();
  const deleting = useMutation({
    mutationFn: (force: boolean) => deleteProvider(provider, force),
    onSuccess: async () => {
      storeConnectionTest(client, provider.id, null);
      await refreshCatalog(client);
      onDeleted(provider.name);
    },
    onError: () => refreshCatalog(client),
  });
  const inUse = modelsInUse(deleting.error);
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Delete ${provider.name}?`}
      description={
        provider.hasApiKey
          ? "Its API key is deleted too. This cannot be undone."
          : "This cannot be undone."
      }
      action={inUse ? `Delete with ${pluralize(inUse.length, "model")}` : "Delete provider"}
      busy={deleting.isPending}
      onConfirm={() => deleting.mutate(inUse !== null)}
    >
      {inUse && (
        <Alert tone="warn" title="This provider is in use" className="mt-4">
          Used by {inUse.join(", ")}. Workflows that use{" "}
          {inUse.length === 1 ? "this model" : "these models"} cannot start until a model with the
          same name exists.
        </Alert>
      )}
      {!inUse && <DeleteError error={deleting.error} />}
    </ConfirmDialog>
  );
}

interface ModelProps {
  model: Model;
  onClose: () => void;
  onDeleted: (name: string) => void;
}

export function DeleteModelDialog({ model, onClose, onDeleted }: ModelProps) {
  const client = useQueryClient();
  const deleting = useMutation({
    mutationFn: () => deleteModel(model),
    onSuccess: async () => {
      await refreshCatalog(client);
      onDeleted(model.name);
    },
    onError: () => refreshCatalog(client),
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Delete ${model.name}?`}
      description={`Workflows that use it cannot start until a model with the same name exists.${
        model.default
          ? " It is the default model: workflows without a model need a new default."
          : ""
      }`}
      action="Delete model"
      busy={deleting.isPending}
      onConfirm={() => deleting.mutate()}
    >
      <DeleteError error={deleting.error} />
    </ConfirmDialog>
  );
}

function DeleteError({ error }: { error: unknown }) {
  if (!error) return null;
  if (isVersionConflict(error)) {
    return (
      <Alert tone="err" title="Changed in another tab or by another user" className="mt-4">
        Nothing was deleted. The latest version is loaded. Delete it anyway?
      </Alert>
    );
  }
  return <ErrorPanel error={error} className="mt-4" />;
}

/** Returns the models that use the provider, or null for any other error. */
function modelsInUse(error: unknown): string[] | null {
  if (!(error instanceof ApiProblem) || error.slug !== "provider-in-use") return null;
  return Array.isArray(error.extra.models) ? error.extra.models.map(String) : [];
}
