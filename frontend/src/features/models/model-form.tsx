import { zodResolver } from "@hookform/resolvers/zod";
import { FormProvider, useForm, useFormContext, useWatch } from "react-hook-form";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import type { Model, Provider } from "@/lib/api/types";

import { FormFooter, useInitialFocus, useReportDirty } from "./form-dialog";
import { CapabilityFields, PriceFields, SettingFields } from "./model-option-fields";
import { IdentityFields } from "./model-identity-fields";
import { RequestFields } from "./model-request-fields";
import { modelSchema } from "./model-schema";
import {
  changedModelFields,
  createModelRequest,
  modelValues,
  newModelValues,
  updateModelRequest,
  type ModelValues,
} from "./model-values";
import { createModel, loadModel, updateModel } from "./provider-requests";
import { VersionConflictAlert } from "./version-conflict-alert";
import { useSaveForm } from "./use-save-form";

interface Props {
  /** The model to edit; without it the form creates one. */
  model?: Model;
  /** Preselected provider of a new model. */
  provider?: Provider;
  providers: Provider[];
  models: Model[];
  onTouched: (touched: boolean) => void;
  onCancel: () => void;
  onSaved: (model: Model) => void;
}

export function ModelForm({
  model,
  provider,
  providers,
  models,
  onTouched,
  onCancel,
  onSaved,
}: Props) {
  const form = useForm<ModelValues>({
    defaultValues: model ? modelValues(model) : newModelValues(provider ?? providers[0]),
    resolver: zodResolver(modelSchema),
  });
  useReportDirty(onTouched, form.formState.isDirty);
  useInitialFocus(model ? null : "providerModel", form.setFocus);
  const providerId = useWatch({ control: form.control, name: "providerId" });
  const chosen = providers.find((one) => one.id === providerId);
  const save = useSaveForm<ModelValues, Model>({
    form,
    initial: model,
    send: (typed, base) =>
      base
        ? updateModel(base, updateModelRequest(typed, base))
        : createModel(createModelRequest(typed)),
    load: (base) => loadModel(base.id),
    toValues: modelValues,
    changedFields: changedModelFields,
    fieldOf: fieldFor,
    onSaved,
  });

  return (
    <FormProvider {...form}>
      <form noValidate onSubmit={(event) => void save.submit(event)} className="grid gap-4">
        {model?.description && <p className="text-ink-soft">{model.description}</p>}
        <IdentityFields providers={providers} models={models} creating={!model} />
        <DefaultField models={models} model={model} />
        <div className="grid gap-2">
          <CapabilityFields />
          <PriceFields />
          <SettingFields providerType={chosen?.type} />
          <RequestFields providerType={chosen?.type} />
        </div>
        {save.error && <ErrorPanel error={save.error} />}
        {save.stale && (
          <VersionConflictAlert loaded={save.loaded} busy={save.loading} onLoad={save.loadNewest} />
        )}
        <FormFooter>
          <Button onClick={onCancel}>Cancel</Button>
          <Button type="submit" variant="primary" busy={save.busy}>
            {model ? "Save" : "Add model"}
          </Button>
        </FormFooter>
      </form>
    </FormProvider>
  );
}

function DefaultField({ models, model }: { models: Model[]; model?: Model }) {
  const { control, register } = useFormContext<ModelValues>();
  const type = useWatch({ control, name: "type" });
  const isDefault = useWatch({ control, name: "default" });
  const word = type === "llm" ? "LLM" : "embedder";
  const now = models.find((one) => one.type === type && one.default && one.id !== model?.id);
  return (
    <Checkbox
      label={`Default ${word}`}
      hint={defaultHint(isDefault, now, model, word)}
      {...register("default")}
    />
  );
}

function defaultHint(
  isDefault: boolean,
  now: Model | undefined,
  model: Model | undefined,
  word: string,
): string {
  const purpose = `Used by workflows that set no ${word}.`;
  if (isDefault && now) return `${purpose} Replaces ${now.name}.`;
  if (!isDefault && now) return `${purpose} Current default: ${now.name}.`;
  if (model?.default && !isDefault)
    return `${purpose} There will be no default: workflows must set one.`;
  return model ? purpose : `${purpose} The first ${word} always becomes the default.`;
}

const FIELDS: Partial<Record<string, keyof ModelValues>> = {
  name: "name",
  providerModel: "providerModel",
  endpoint: "endpoint",
  providerId: "providerId",
  default: "default",
};

/** Capabilities, prices and settings have the same names in the form and in the API. */
function fieldFor(pointer: string): keyof ModelValues | undefined {
  const [group, name] = pointer.split("/");
  const inside = group === "capabilities" || group === "pricing" || group === "settings";
  if (!inside) return FIELDS[pointer];
  return name && name in EMPTY ? (name as keyof ModelValues) : undefined;
}

const EMPTY = newModelValues(undefined);
