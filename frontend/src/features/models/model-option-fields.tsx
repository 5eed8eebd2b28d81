import type { ReactNode } from "react";
import { useFormContext, useWatch } from "react-hook-form";

import { Field } from "@/components/ui/field";
import { Input, Select, Textarea } from "@/components/ui/input";
import type { ProviderType } from "@/lib/api/types";

import type { ModelValues } from "./model-values";
import { usesOpenAiProtocol } from "./provider-types";

/** Prices of a model; without them costs are unknown. */
export function PriceFields() {
  return (
    <Group
      title="Price per million tokens"
      note="If empty, the cost of runs is unknown and shown as “–”."
      fields={["inputPerMillion", "outputPerMillion", "currency"]}
    >
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        <ValueField name="inputPerMillion" label="Input" />
        <ValueField name="outputPerMillion" label="Output" />
        <ValueField name="currency" label="Currency" mode="text" />
      </div>
    </Group>
  );
}

/** Capabilities of a model, checked before a run starts. */
export function CapabilityFields() {
  return (
    <Group title="Capabilities" fields={["tools", "vision", "json", "contextWindow"]}>
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-4">
        <CapabilityField name="tools" label="Tools" hint="No: agents call tools in text." />
        <CapabilityField name="vision" label="Images" />
        <CapabilityField name="json" label="JSON output" />
        <ValueField name="contextWindow" label="Context window (tokens)" mode="numeric" />
      </div>
    </Group>
  );
}

/** Default settings for calls; empty fields use the provider's defaults. */
export function SettingFields({ providerType }: { providerType: ProviderType | undefined }) {
  return (
    <Group
      title="Settings"
      note="Empty fields use the provider's defaults. Workflows can override these settings."
      fields={[
        "temperature",
        "topP",
        "maxTokens",
        "timeoutSeconds",
        "maxRetries",
        "seed",
        "frequencyPenalty",
        "presencePenalty",
        "reasoningEffort",
        "stop",
        "extraBody",
      ]}
    >
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        <ValueField name="temperature" label="Temperature" hint="0 to 2" />
        <ValueField name="topP" label="Top P" hint="Above 0, up to 1" />
        <ValueField name="maxTokens" label="Max output" hint="Tokens" mode="numeric" />
        <ValueField name="timeoutSeconds" label="Timeout" hint="Seconds" />
        <ValueField name="maxRetries" label="Retries" hint="0 to 10" mode="numeric" />
        <ValueField name="seed" label="Seed" hint="A whole number" mode="numeric" />
        <ValueField name="frequencyPenalty" label="Frequency penalty" hint="-2 to 2" />
        <ValueField name="presencePenalty" label="Presence penalty" hint="-2 to 2" />
        <ValueField
          name="reasoningEffort"
          label="Reasoning effort"
          hint="For example low, high"
          mode="text"
        />
      </div>
      <TextareaField
        name="stop"
        label="Stop sequences"
        hint="One per line. The output ends before any of these."
      />
      {(!providerType || usesOpenAiProtocol(providerType)) && (
        <TextareaField
          name="extraBody"
          label="Extra request body"
          hint='A JSON object, such as {"top_k": 40}.'
        />
      )}
    </Group>
  );
}

interface GroupProps {
  title: string;
  note?: string;
  /** Fields whose errors expand the group. */
  fields: (keyof ModelValues)[];
  children: ReactNode;
}

export function Group({ title, note, fields, children }: GroupProps) {
  const { formState } = useFormContext<ModelValues>();
  const wrong = fields.some((field) => formState.errors[field]);
  return (
    <details open={wrong || undefined} className="rounded-md border">
      <summary className="cursor-pointer px-3 py-2 font-medium">
        {title}
        <FilledCount fields={fields} />
      </summary>
      <div className="grid gap-3 border-t p-3">
        {children}
        {note && <p className="text-xs text-ink-faint">{note}</p>}
      </div>
    </details>
  );
}

/** Shows how many fields of a group are set. */
function FilledCount({ fields }: { fields: (keyof ModelValues)[] }) {
  const { control } = useFormContext<ModelValues>();
  const values = useWatch({ control });
  const set = fields.filter((field) => {
    const value = values[field];
    return field !== "currency" && value !== "" && value !== "unknown" && value !== undefined;
  });
  return (
    <span className="ml-2 text-xs font-normal text-ink-faint">
      {set.length > 0 ? `${set.length} set` : "not set"}
    </span>
  );
}

interface FigureProps {
  name: Exclude<keyof ModelValues, "default" | "type">;
  label: string;
  hint?: string;
  mode?: "decimal" | "numeric" | "text";
}

function ValueField({ name, label, hint, mode = "decimal" }: FigureProps) {
  const { register, formState } = useFormContext<ModelValues>();
  return (
    <Field label={label} hint={hint} error={formState.errors[name]?.message}>
      <Input inputMode={mode} autoComplete="off" {...register(name)} />
    </Field>
  );
}

interface CapabilityProps {
  name: "tools" | "vision" | "json";
  label: string;
  hint?: string;
}

function CapabilityField({ name, label, hint }: CapabilityProps) {
  const { register } = useFormContext<ModelValues>();
  return (
    <Field label={label} hint={hint}>
      <Select {...register(name)}>
        <option value="unknown">Unknown</option>
        <option value="yes">Yes</option>
        <option value="no">No</option>
      </Select>
    </Field>
  );
}

export function TextareaField({
  name,
  label,
  hint,
}: {
  name: "stop" | "extraBody" | "omitParameters";
  label: string;
  hint: string;
}) {
  const { register, formState } = useFormContext<ModelValues>();
  return (
    <Field label={label} hint={hint} error={formState.errors[name]?.message}>
      <Textarea rows={2} spellCheck={false} className="min-h-16 font-mono" {...register(name)} />
    </Field>
  );
}
