import { getRouteApi } from "@tanstack/react-router";

import type { Model, Provider } from "@/lib/api/types";
import { toast } from "@/lib/toast";

import { FormDialog } from "./form-dialog";
import { ModelForm } from "./model-form";
import { EditProviderDialog, NewProviderDialog, NotFoundDialog } from "./provider-dialog";

const route = getRouteApi("/shell/models");

interface Props {
  /** `provider` and `model` of the URL; a new model belongs to the given provider. */
  search: { provider?: string; model?: string };
  providers: Provider[];
  models: Model[];
}

/** Shows the form dialog that the URL selects. */
export function FormDialogs({ search, providers, models }: Props) {
  if (search.model) {
    return <ModelDialog key={search.model} search={search} providers={providers} models={models} />;
  }
  if (search.provider) {
    return <ProviderDialog key={search.provider} id={search.provider} providers={providers} />;
  }
  return null;
}

function ProviderDialog({ id, providers }: { id: string; providers: Provider[] }) {
  const navigate = route.useNavigate();
  const close = () => void navigate({ search: {} });
  if (id === "new") {
    return (
      <NewProviderDialog
        taken={providers.map((one) => one.name)}
        onClose={close}
        onSaved={(saved) => {
          toast.success(`${saved.name} connected.`);
          void navigate({ search: { provider: saved.id, model: "new" } });
        }}
      />
    );
  }
  const provider = providers.find((one) => one.id === id && one.type !== "local");
  if (!provider) return <NotFoundDialog what="provider" onClose={close} />;
  const saved = () => {
    toast.success(`${provider.name} saved.`);
    close();
  };
  return <EditProviderDialog provider={provider} onClose={close} onSaved={saved} />;
}

function ModelDialog({ search, providers, models }: Props) {
  const navigate = route.useNavigate();
  const close = () => void navigate({ search: {} });
  const creating = search.model === "new";
  const model = models.find((one) => one.id === search.model);
  const choices = providers.filter((one) => one.type !== "local" || one.id === model?.providerId);
  if (!creating && !model) return <NotFoundDialog what="model" onClose={close} />;
  if (choices.length === 0) return <NotFoundDialog what="provider" onClose={close} />;
  return (
    <FormDialog
      title={model ? `Edit ${model.name}` : "Add a model"}
      description={
        model ? undefined : "Select one of the provider’s models to use it in workflows."
      }
      onClose={close}
      className="w-[min(38rem,calc(100vw-1.5rem))]"
    >
      {(onTouched) => (
        <ModelForm
          model={model}
          provider={choices.find((one) => one.id === search.provider)}
          providers={choices}
          models={models}
          onTouched={onTouched}
          onCancel={close}
          onSaved={(saved) => {
            toast.success(`${saved.name} ${model ? "saved" : "added"}.`);
            close();
          }}
        />
      )}
    </FormDialog>
  );
}
