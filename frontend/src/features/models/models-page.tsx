import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Cable, Plus } from "lucide-react";
import { lazy, Suspense, useState } from "react";

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

/** Forms weigh more than the list: they come when the first one is opened. */
const OpenDialog = lazy(async () => ({ default: (await import("./open-dialog")).OpenDialog }));

const route = getRouteApi("/shell/models");

type Doomed = { provider: Provider } | { model: Model } | null;

export function ModelsPage() {
  const navigate = route.useNavigate();
  const connect = () => void navigate({ search: { provider: "new" } });
  return (
    <Page
      title="Providers & models"
      description="Where your crews find their models, and what those cost."
      actions={
        <Button variant="primary" onClick={connect}>
          <Plus aria-hidden />
          Connect a provider
        </Button>
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

  if (providers.data && models.data) {
    return (
      <>
        <ProviderList providers={providers.data} models={models.data} onConnect={onConnect} />
        {(search.provider || search.model) && (
          <Suspense>
            <OpenDialog search={search} providers={providers.data} models={models.data} />
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
  const [doomed, setDoomed] = useState<Doomed>(null);
  const makeDefault = useMakeDefault();
  const own = providers.filter((one) => one.type !== "local");
  const builtIn = providers.filter((one) => one.type === "local");

  const deleted = (name: string) => {
    toast.success(`${name} is deleted.`);
    setDoomed(null);
    // The button that opened the question is gone with its row.
    document.getElementById("main")?.focus();
  };
  return (
    <>
      {makeDefault.error && <ErrorPanel error={makeDefault.error} />}
      {own.length === 0 && <NothingConnected builtIn={builtIn.length > 0} onConnect={onConnect} />}
      {[...own, ...builtIn].map((provider) => (
        <ProviderCard
          key={provider.id}
          provider={provider}
          models={models.filter((model) => model.providerId === provider.id)}
          onEdit={() => void navigate({ search: { provider: provider.id } })}
          onDelete={() => setDoomed({ provider })}
          onAddModel={() => void navigate({ search: { provider: provider.id, model: "new" } })}
          actions={{
            onEdit: (model) => void navigate({ search: { model: model.id } }),
            onDelete: (model) => setDoomed({ model }),
            onMakeDefault: (model) => makeDefault.mutate(model),
            busyId: makeDefault.isPending ? makeDefault.variables.id : null,
          }}
        />
      ))}
      <DeleteDialog
        doomed={doomed}
        providers={providers}
        models={models}
        onClose={() => setDoomed(null)}
        onDeleted={deleted}
      />
    </>
  );
}

function useMakeDefault() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (model: Model) => updateModel(model, { default: true }),
    onSuccess: (model) => toast.success(`${model.name} is the default now.`),
    onSettled: () => refreshCatalog(client),
  });
}

function NothingConnected({ builtIn, onConnect }: { builtIn: boolean; onConnect: () => void }) {
  return (
    <div className="rounded-lg border bg-surface">
      <EmptyState
        icon={Cable}
        title="No provider is connected yet"
        actions={
          <Button variant="primary" onClick={onConnect}>
            Connect a provider
          </Button>
        }
      >
        A provider runs the models that your crews think with.
        {builtIn && " Until then the built-in one below lets you try things out."}
      </EmptyState>
    </div>
  );
}

interface DeleteProps {
  doomed: Doomed;
  providers: Provider[];
  models: Model[];
  onClose: () => void;
  onDeleted: (name: string) => void;
}

/** What is asked about is looked up anew, so that a second try speaks of the newest version. */
function DeleteDialog({ doomed, providers, models, onClose, onDeleted }: DeleteProps) {
  if (!doomed) return null;
  if ("provider" in doomed) {
    const provider = providers.find((one) => one.id === doomed.provider.id) ?? doomed.provider;
    return <DeleteProviderDialog provider={provider} onClose={onClose} onDeleted={onDeleted} />;
  }
  const model = models.find((one) => one.id === doomed.model.id) ?? doomed.model;
  return <DeleteModelDialog model={model} onClose={onClose} onDeleted={onDeleted} />;
}
