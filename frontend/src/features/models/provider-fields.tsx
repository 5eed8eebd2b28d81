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
    <Field
      label="Name"
      required
      hint="What you call it here; names are unique."
      error={formState.errors.name?.message}
    >
      <Input autoComplete="off" {...register("name")} />
    </Field>
  );
}

/** Everything that decides where calls go and with which key. */
export function ConnectionFields({
  provider,
  onKeySwitch,
}: {
  provider?: Provider;
  /** The stored key is to be replaced, removed or kept after all. */
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
          {kind.baseUrl ? `Leave empty for ${kind.baseUrl}. ` : `Such as ${kind.baseUrlExample}. `}
          {isPlainHttp(type, url) && "Seen from the machine that CrewAI Runner runs on."}
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
      hint="Leave empty for 2024-10-21. Deployments are named when you add a model."
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
      <summary className="cursor-pointer font-medium text-ink-soft">Models to offer</summary>
      <Field
        label="Models, one a line"
        className="mt-3"
        hint="For servers that do not list their models; the connection test looks for these too."
        error={formState.errors.models?.message}
      >
        <Textarea rows={3} spellCheck={false} {...register("models")} />
      </Field>
    </details>
  );
}
