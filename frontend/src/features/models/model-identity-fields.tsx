import { useQuery } from "@tanstack/react-query";
import { useController, useFormContext, useWatch } from "react-hook-form";

import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import { SegmentedControl } from "@/components/ui/segmented-control";
import { describeError } from "@/lib/api/problem";
import type { Model, Provider } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

import { mergeNames } from "./filter-model-names";
import { ModelPicker } from "./model-picker";
import { guessModelType, type ModelValues } from "./model-values";
import { liveModelsQuery } from "./provider-requests";

const TYPES = [
  { value: "llm" as const, label: "LLM" },
  { value: "embedder" as const, label: "Embedder" },
];

interface Props {
  providers: Provider[];
  models: Model[];
  /** The type of a model cannot be changed later. */
  creating: boolean;
}

/** Provider, model and name. */
export function IdentityFields({ providers, models, creating }: Props) {
  const { control, register, formState, setValue } = useFormContext<ModelValues>();
  const type = useWatch({ control, name: "type" });
  return (
    <>
      <Field label="Provider" required error={formState.errors.providerId?.message}>
        <Select {...register("providerId")}>
          {providers.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </Select>
      </Field>
      <ProviderModelField providers={providers} models={models} creating={creating} />
      {creating && (
        <div className="grid justify-items-start gap-1">
          <p className="font-medium" aria-hidden>
            Kind
          </p>
          <SegmentedControl
            label="Kind"
            options={TYPES}
            value={type}
            onChange={(next) => setValue("type", next, { shouldDirty: true })}
          />
        </div>
      )}
      <Field
        label="Name"
        required
        hint="The name that workflows use."
        error={formState.errors.name?.message}
      >
        <Input autoComplete="off" spellCheck={false} {...register("name")} />
      </Field>
    </>
  );
}

function ProviderModelField({ providers, models, creating }: Props) {
  const { control, formState, getValues, getFieldState, setValue } = useFormContext<ModelValues>();
  const providerId = useWatch({ control, name: "providerId" });
  const {
    field: { ref, name, value },
  } = useController({ control, name: "providerModel" });
  const provider = providers.find((one) => one.id === providerId);
  const live = useQuery({ ...liveModelsQuery(providerId), enabled: provider !== undefined });
  const names = mergeNames(live.data ?? [], provider?.models ?? []);
  const registered = new Set(
    models.filter((model) => model.providerId === providerId).map((model) => model.providerModel),
  );

  const change = (next: string, picked: boolean) => {
    const named = getFieldState("name").isDirty && getValues("name") !== getValues("providerModel");
    setValue("providerModel", next, { shouldDirty: true, shouldValidate: formState.isSubmitted });
    if (!creating) return;
    if (!named)
      setValue("name", next, { shouldDirty: true, shouldValidate: formState.isSubmitted });
    if (picked) setValue("type", guessModelType(next), { shouldDirty: true });
  };

  return (
    <div className="grid gap-1">
      <Field
        label={provider?.type === "azure" ? "Deployment" : "Model"}
        required
        hint={providerModelHint(live, names, value, provider)}
        error={formState.errors.providerModel?.message}
      >
        <ModelPicker
          ref={ref}
          name={name}
          value={value}
          names={names}
          registered={registered}
          onValue={change}
        />
      </Field>
      {live.error && (
        <p role="status" className="text-xs break-words text-warn">
          The provider does not list its models: {describeError(live.error).detail} You can still
          type the name.
        </p>
      )}
    </div>
  );
}

function providerModelHint(
  live: { isFetching: boolean; data?: string[] },
  names: string[],
  providerModel: string,
  provider: Provider | undefined,
): string {
  if (live.isFetching && !live.data) return "Loading the provider’s models…";
  if (provider?.type === "azure") return "The name of your deployment.";
  if (providerModel && names.length > 0 && !names.includes(providerModel)) {
    return "Not in the provider’s list; used as entered.";
  }
  return names.length > 0
    ? `The provider’s model name. Select one of ${pluralize(names.length, "model")} or enter a name.`
    : "The provider’s model name.";
}
