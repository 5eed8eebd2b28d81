import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Cable, Plus } from "lucide-react";
import { lazy, Suspense, useState } from "react";

import { Allowed } from "@/components/allowed";
import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Model, Provider } from "@/lib/api/types";
import { modelsQuery, providersQuery } from "@/lib/queries/models";
import { toast } from "@/lib/toast";

import { DeleteModelDialog, DeleteProviderDialog } from "./delete-dialogs";
import { ProviderCard } from "./provider-card";
import { refreshCatalog, updateModel } from "./provider-requests";

const RoleNeeded = lazy(async () => ({
  default: (await import("@/components/role-needed")).RoleNeeded,
}));
// Loaded separately: the forms are larger than the list.
const FormDialogs = lazy(async () => ({ default: (await import("./form-dialogs")).FormDialogs }));

const route = getRouteApi("/shell/models");

type DeletionTarget = { provider: Provider } | { model: Model } | null;

export function ModelsPage() {
  const navigate = route.useNavigate();
  const connect = () => void navigate({ search: { provider: "new" } });
  return (
    <Page
      title="Providers & models"
      description="Model providers, models and prices for your workflows."
      actions={
        <Allowed scope="providers:write">
          <Button variant="primary" onClick={connect}>
            <Plus aria-hidden />
            Connect a provider
          </Button>
        </Allowed>
      }
    >
      <Catalog onConnect={connect} />
    </Page>
  );
}

function Catalog({ onConnect }: { onConnect: () => void }) {
  const providers = useQuery(providersQuery());
  const models = useQuery(modelsQuery());
  const search = route.useSearch();
  const error = providers.error ?? models.error;
  const formScope = search.model ? "models:write" : "providers:write";

  if (providers.data && models.data) {
    return (
      <>
        <ProviderList providers={providers.data} models={models.data} onConnect={onConnect} />
        {(search.provider || search.model) && (
          <Suspense>
            <Allowed scope={formScope} otherwise={<RoleNeeded scope={formScope} />}>
              <FormDialogs search={search} providers={providers.data} models={models.data} />
            </Allowed>
          </Suspense>
        )}
      </>
    );
  }
  if (error) {
    const retry = () => void Promise.all([providers.refetch(), models.refetch()]);
    return <ErrorPanel error={error} onRetry={retry} />;
  }
  return <SkeletonRows rows={6} className="rounded-lg border bg-surface" />;
}

interface ListProps {
  providers: Provider[];
  models: Model[];
  onConnect: () => void;
}

function ProviderList({ providers, models, onConnect }: ListProps) {
  const navigate = route.useNavigate();
  const [deletionTarget, setDeletionTarget] = useState<DeletionTarget>(null);
  const makeDefault = useMakeDefault();
  const own = providers.filter((one) => one.type !== "local");
  const builtIn = providers.filter((one) => one.type === "local");

  const deleted = (name: string) => {
    toast.success(`${name} deleted.`);
    setDeletionTarget(null);
    // The button that opened the dialog no longer exists.
    document.getElementById("main")?.focus();
  };
  return (
    <>
      {makeDefault.error && <ErrorPanel error={makeDefault.error} />}
      {own.length === 0 && <NoProviders builtIn={builtIn.length > 0} onConnect={onConnect} />}
      {[...own, ...builtIn].map((provider) => (
        <ProviderCard
          key={provider.id}
          provider={provider}
          models={models.filter((model) => model.providerId === provider.id)}
          onEdit={() => void navigate({ search: { provider: provider.id } })}
          onDelete={() => setDeletionTarget({ provider })}
          onAddModel={() => void navigate({ search: { provider: provider.id, model: "new" } })}
          actions={{
            onEdit: (model) => void navigate({ search: { model: model.id } }),
            onDelete: (model) => setDeletionTarget({ model }),
            onMakeDefault: (model) => makeDefault.mutate(model),
            busyId: makeDefault.isPending ? makeDefault.variables.id : null,
          }}
        />
      ))}
      <DeleteDialog
        target={deletionTarget}
        providers={providers}
        models={models}
        onClose={() => setDeletionTarget(null)}
        onDeleted={deleted}
      />
    </>
  );
}

function useMakeDefault() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (model: Model) => updateModel(model, { default: true }),
    onSuccess: (model) => toast.success(`${model.name} is now the default.`),
    onSettled: () => refreshCatalog(client),
  });
}

function NoProviders({ builtIn, onConnect }: { builtIn: boolean; onConnect: () => void }) {
  return (
    <div className="rounded-lg border bg-surface">
      <EmptyState
        icon={Cable}
        title="No providers yet"
        actions={
          <Allowed scope="providers:write">
            <Button variant="primary" onClick={onConnect}>
              Connect a provider
            </Button>
          </Allowed>
        }
      >
        Connect a provider to use its models in your workflows.
        {builtIn && " You can try the built-in model below without one."}
      </EmptyState>
    </div>
  );
}

interface DeleteProps {
  target: DeletionTarget;
  providers: Provider[];
  models: Model[];
  onClose: () => void;
  onDeleted: (name: string) => void;
}

/** Looks the target up again, so that a second attempt uses its latest version. */
function DeleteDialog({ target, providers, models, onClose, onDeleted }: DeleteProps) {
  if (!target) return null;
  if ("provider" in target) {
    const provider = providers.find((one) => one.id === target.provider.id) ?? target.provider;
    return <DeleteProviderDialog provider={provider} onClose={onClose} onDeleted={onDeleted} />;
  }
  const model = models.find((one) => one.id === target.model.id) ?? target.model;
  return <DeleteModelDialog model={model} onClose={onClose} onDeleted={onDeleted} />;
}
