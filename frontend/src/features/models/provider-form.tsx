import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient } from "@tanstack/react-query";
import { PlugZap } from "lucide-react";
import { FormProvider, useForm, useWatch } from "react-hook-form";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import type { Provider } from "@/lib/api/types";

import { ConnectionSteps } from "./connection-steps";
import { FormFooter, useInitialFocus, useReportDirty } from "./form-dialog";
import { LocalOllamaAlert } from "./local-ollama-alert";
import { ConnectionFields, NameField } from "./provider-fields";
import {
  createProvider,
  loadProvider,
  storeConnectionTest,
  updateProvider,
} from "./provider-requests";
import { providerSchema } from "./provider-schema";
import { isPlainHttp, PROVIDER_KINDS } from "./provider-types";
import {
  changedProviderFields,
  createProviderRequest,
  providerValues,
  updateProviderRequest,
  type ProviderValues,
} from "./provider-values";
import { VersionConflictAlert } from "./version-conflict-alert";
import { useConnectionTest } from "./use-connection-test";
import { useSaveForm } from "./use-save-form";

interface Props {
  /** The provider to edit; without it the form creates one. */
  provider?: Provider;
  values: ProviderValues;
  onTouched: (touched: boolean) => void;
  onCancel: () => void;
  onSaved: (provider: Provider) => void;
}

export function ProviderForm({ provider, values, onTouched, onCancel, onSaved }: Props) {
  const form = useForm<ProviderValues>({
    defaultValues: values,
    resolver: zodResolver(providerSchema(!provider)),
  });
  useReportDirty(onTouched, form.formState.isDirty);
  useInitialFocus(provider ? null : firstField(values.type), form.setFocus);
  const client = useQueryClient();
  const baseUrl = useWatch({ control: form.control, name: "baseUrl" });
  const fieldOf = (pointer: string) => fieldFor(pointer, form.getValues("type"));
  const test = useConnectionTest(form, provider, fieldOf);

  const save = useSaveForm<ProviderValues, Provider>({
    form,
    initial: provider,
    send: (typed, base) =>
      base
        ? updateProvider(base, updateProviderRequest(typed, base))
        : createProvider(createProviderRequest(typed)),
    load: (base) => loadProvider(base.id),
    toValues: providerValues,
    changedFields: changedProviderFields,
    fieldOf: (pointer) => {
      if (pointer === "apiKey") form.setValue("keyAction", "replace", { shouldDirty: true });
      return fieldOf(pointer);
    },
    onSaved: (saved) => {
      storeConnectionTest(client, saved.id, test.tested);
      onSaved(saved);
    },
  });

  const { extra, title } = PROVIDER_KINDS[values.type];
  return (
    <FormProvider {...form}>
      <form noValidate onSubmit={(event) => void save.submit(event)} className="grid gap-4">
        {values.type === "ollama" && !provider && (
          <LocalOllamaAlert
            onUse={(url) => {
              test.reset();
              form.setValue("baseUrl", url, { shouldDirty: true, shouldValidate: true });
            }}
          />
        )}
        <NameField />
        <div className="grid gap-4" onChange={test.reset}>
          <ConnectionFields provider={provider} onKeySwitch={test.reset} />
        </div>
        {extra && <ExtraNote title={title} extra={extra} />}
        {(test.running || test.tested) && (
          <ConnectionSteps
            report={test.running ? null : (test.tested?.report ?? null)}
            plainHttp={isPlainHttp(values.type, baseUrl)}
          />
        )}
        {test.error && <ErrorPanel error={test.error} />}
        {save.error && <ErrorPanel error={save.error} />}
        {save.stale && (
          <VersionConflictAlert loaded={save.loaded} busy={save.loading} onLoad={save.loadNewest} />
        )}
        <FormFooter>
          <div className="mr-auto grid max-w-full gap-1">
            <Button
              busy={test.running}
              disabled={Boolean(test.blocked)}
              onClick={() => void test.run()}
            >
              {!test.running && <PlugZap aria-hidden />}
              Test connection
            </Button>
            {test.blocked && <p className="text-xs text-ink-faint">{test.blocked}</p>}
          </div>
          <Button onClick={onCancel}>Cancel</Button>
          <Button type="submit" variant="primary" busy={save.busy}>
            {provider ? "Save" : "Save provider"}
          </Button>
        </FormFooter>
      </form>
    </FormProvider>
  );
}

function ExtraNote({ title, extra }: { title: string; extra: string }) {
  return (
    <p className="text-xs text-ink-faint">
      If a run reports that support for {title} is not installed, run{" "}
      <code className="font-mono">uv sync --extra {extra}</code> (or{" "}
      <code className="font-mono">pip install &quot;crewai-runner[{extra}]&quot;</code>) on the
      server and restart it. The connection test does not need it.
    </p>
  );
}

/** The field to focus in a new form; the name is prefilled. */
function firstField(type: ProviderValues["type"]): keyof ProviderValues {
  if (type === "bedrock") return "accessKeyId";
  return PROVIDER_KINDS[type].key === "optional" || type === "azure" ? "baseUrl" : "apiKey";
}

const FIELDS: Record<string, keyof ProviderValues> = {
  name: "name",
  baseUrl: "baseUrl",
  apiKey: "apiKey",
  "options/region": "region",
  "options/apiVersion": "apiVersion",
  models: "models",
};

function fieldFor(pointer: string, type: ProviderValues["type"]): keyof ProviderValues | undefined {
  if (pointer === "apiKey" && type === "bedrock") return "accessKeyId";
  return FIELDS[pointer] ?? (pointer.startsWith("models/") ? "models" : undefined);
}
