import { useFormContext, useWatch } from "react-hook-form";

import { Field } from "@/components/ui/field";
import { Input, Textarea } from "@/components/ui/input";
import type { Provider } from "@/lib/api/types";

import { ProviderKeyField } from "./provider-key-field";
import { isPlainHttp, PROVIDER_KINDS } from "./provider-types";
import type { ProviderValues } from "./provider-values";

export function NameField() {
  const { register, formState } = useFormContext<ProviderValues>();
  return (
    <Field label="Name" required hint="Must be unique." error={formState.errors.name?.message}>
      <Input autoComplete="off" {...register("name")} />
    </Field>
  );
}

/** Fields that define the endpoint and the credentials. */
export function ConnectionFields({
  provider,
  onKeySwitch,
}: {
  provider?: Provider;
  /** Called when the action for the stored key changes. */
  onKeySwitch: () => void;
}) {
  const { control } = useFormContext<ProviderValues>();
  const type = useWatch({ control, name: "type" });
  const urlFirst = PROVIDER_KINDS[type].key === "optional" || type === "azure";
  return (
    <>
      {urlFirst && <BaseUrlField />}
      <ProviderKeyField provider={provider} onSwitch={onKeySwitch} />
      {type === "azure" && <ApiVersionField />}
      {type === "bedrock" && <RegionField />}
      {!urlFirst && <BaseUrlField />}
      <OfferedModels />
    </>
  );
}

function BaseUrlField() {
  const { control, register, formState } = useFormContext<ProviderValues>();
  const type = useWatch({ control, name: "type" });
  const url = useWatch({ control, name: "baseUrl" });
  const kind = PROVIDER_KINDS[type];
  return (
    <Field
      label="Base URL"
      required={!kind.baseUrl}
      hint={
        <>
          {kind.baseUrl
            ? `Leave empty for ${kind.baseUrl}. `
            : `For example ${kind.baseUrlExample}. `}
          {isPlainHttp(type, url) && "Relative to the machine that runs CrewAI Runner."}
        </>
      }
      error={formState.errors.baseUrl?.message}
    >
      <Input
        inputMode="url"
        autoComplete="off"
        spellCheck={false}
        placeholder={kind.baseUrl ?? kind.baseUrlExample}
        {...register("baseUrl")}
      />
    </Field>
  );
}

function ApiVersionField() {
  const { register, formState } = useFormContext<ProviderValues>();
  return (
    <Field
      label="API version"
      hint="Leave empty for 2024-10-21. Enter deployment names when you add models."
      error={formState.errors.apiVersion?.message}
    >
      <Input autoComplete="off" placeholder="2024-10-21" {...register("apiVersion")} />
    </Field>
  );
}

function RegionField() {
  const { register, formState } = useFormContext<ProviderValues>();
  return (
    <Field
      label="Region"
      hint="The AWS region of your models. Leave empty for us-east-1."
      error={formState.errors.region?.message}
    >
      <Input autoComplete="off" placeholder="us-east-1" {...register("region")} />
    </Field>
  );
}

function OfferedModels() {
  const { register, formState } = useFormContext<ProviderValues>();
  return (
    <details className="group rounded-md border px-3 py-2">
      <summary className="cursor-pointer font-medium text-ink-soft">Suggested models</summary>
      <Field
        label="Models, one per line"
        className="mt-3"
        hint="For servers that do not list their models. The connection test checks these too."
        error={formState.errors.models?.message}
      >
        <Textarea rows={3} spellCheck={false} {...register("models")} />
      </Field>
    </details>
  );
}
