import { useMutation, useQueryClient } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { ApiProblem } from "@/lib/api/problem";
import type { Model, Provider } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

import { isStale } from "./form-problems";
import { deleteModel, deleteProvider, refreshCatalog, rememberTest } from "./provider-requests";

interface ProviderProps {
  provider: Provider;
  onClose: () => void;
  onDeleted: (name: string) => void;
}

/** Asks first; where models hang on it, tells which and asks again. */
export function DeleteProviderDialog({ provider, onClose, onDeleted }: ProviderProps) {
  const client = useQueryClient();
  const deleting = useMutation({
    mutationFn: (force: boolean) => deleteProvider(provider, force),
    onSuccess: async () => {
      rememberTest(client, provider.id, null);
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
          ? "Its key is deleted with it. This cannot be undone."
          : "This cannot be undone."
      }
      action={inUse ? `Delete it with ${pluralize(inUse.length, "model")}` : "Delete provider"}
      busy={deleting.isPending}
      onConfirm={() => deleting.mutate(inUse !== null)}
    >
      {inUse && (
        <Alert tone="warn" title="It is in use" className="mt-4">
          {inUse.join(", ")} {inUse.length === 1 ? "hangs" : "hang"} on it. Workflows that name{" "}
          {inUse.length === 1 ? "this model" : "these models"} will not start until there is another
          of that name.
        </Alert>
      )}
      {!inUse && <Refusal error={deleting.error} />}
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
      description={`Workflows that name it will not start until there is another of that name.${
        model.default ? " It is the default: workflows that name no model need a new one." : ""
      }`}
      action="Delete model"
      busy={deleting.isPending}
      onConfirm={() => deleting.mutate()}
    >
      <Refusal error={deleting.error} />
    </ConfirmDialog>
  );
}

function Refusal({ error }: { error: unknown }) {
  if (!error) return null;
  if (isStale(error)) {
    return (
      <Alert tone="err" title="Changed elsewhere meanwhile" className="mt-4">
        Nothing was deleted. The newest is loaded; delete it all the same?
      </Alert>
    );
  }
  return <ErrorPanel error={error} className="mt-4" />;
}

/** The models that a refusal names; null when it is another refusal, or none. */
function modelsInUse(error: unknown): string[] | null {
  if (!(error instanceof ApiProblem) || error.slug !== "provider-in-use") return null;
  return Array.isArray(error.extra.models) ? error.extra.models.map(String) : [];
}
