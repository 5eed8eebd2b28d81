import type { ReactNode } from "react";
import { useFormContext, useWatch } from "react-hook-form";

import { Field } from "@/components/ui/field";
import { Input, Select, Textarea } from "@/components/ui/input";
import type { ProviderType } from "@/lib/api/types";

import type { ModelValues } from "./model-values";
import { speaksOpenAi } from "./provider-types";

/** What it costs; nothing given means that costs are not known. */
export function PriceFields() {
  return (
    <Group
      title="Price per million tokens"
      note="Left empty, costs of runs show as “–”: unknown, not free."
      fields={["inputPerMillion", "outputPerMillion", "currency"]}
    >
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        <Figure name="inputPerMillion" label="Input" />
        <Figure name="outputPerMillion" label="Output" />
        <Figure name="currency" label="Currency" mode="text" />
      </div>
    </Group>
  );
}

/** What it can do; runs are warned when they ask for more. */
export function AbilityFields() {
  return (
    <Group title="Abilities" fields={["tools", "vision", "json", "contextWindow"]}>
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-4">
        <AbilityField name="tools" label="Tools" />
        <AbilityField name="vision" label="Images" />
        <AbilityField name="json" label="JSON output" />
        <Figure name="contextWindow" label="Context, tokens" mode="numeric" />
      </div>
    </Group>
  );
}

/** How it is asked; what is left empty is left to the provider. */
export function SettingFields({ providerType }: { providerType: ProviderType | undefined }) {
  return (
    <Group
      title="Settings"
      note="What is left empty is left to the provider. Workflows may set their own."
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
        <Figure name="temperature" label="Temperature" hint="0 to 2" />
        <Figure name="topP" label="Top P" hint="Above 0, to 1" />
        <Figure name="maxTokens" label="Longest answer" hint="Tokens" mode="numeric" />
        <Figure name="timeoutSeconds" label="Timeout" hint="Seconds" />
        <Figure name="maxRetries" label="Retries" hint="0 to 10" mode="numeric" />
        <Figure name="seed" label="Seed" hint="A whole number" mode="numeric" />
        <Figure name="frequencyPenalty" label="Frequency penalty" hint="-2 to 2" />
        <Figure name="presencePenalty" label="Presence penalty" hint="-2 to 2" />
        <Figure
          name="reasoningEffort"
          label="Reasoning effort"
          hint="Such as low, high"
          mode="text"
        />
      </div>
      <LongText
        name="stop"
        label="Stop at"
        hint="One a line: the answer ends before any of these."
      />
      {(!providerType || speaksOpenAi(providerType)) && (
        <LongText
          name="extraBody"
          label="Further members of the request"
          hint='A JSON object, such as {"top_k": 40}.'
        />
      )}
    </Group>
  );
}

interface GroupProps {
  title: string;
  note?: string;
  /** Those whose errors open the group. */
  fields: (keyof ModelValues)[];
  children: ReactNode;
}

function Group({ title, note, fields, children }: GroupProps) {
  const { formState } = useFormContext<ModelValues>();
  const wrong = fields.some((field) => formState.errors[field]);
  return (
    <details open={wrong || undefined} className="rounded-md border">
      <summary className="cursor-pointer px-3 py-2 font-medium">
        {title}
        <Filled fields={fields} />
      </summary>
      <div className="grid gap-3 border-t p-3">
        {children}
        {note && <p className="text-xs text-ink-faint">{note}</p>}
      </div>
    </details>
  );
}

/** How much is set inside a closed group. */
function Filled({ fields }: { fields: (keyof ModelValues)[] }) {
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

function Figure({ name, label, hint, mode = "decimal" }: FigureProps) {
  const { register, formState } = useFormContext<ModelValues>();
  return (
    <Field label={label} hint={hint} error={formState.errors[name]?.message}>
      <Input inputMode={mode} autoComplete="off" {...register(name)} />
    </Field>
  );
}

function AbilityField({ name, label }: { name: "tools" | "vision" | "json"; label: string }) {
  const { register } = useFormContext<ModelValues>();
  return (
    <Field label={label}>
      <Select {...register(name)}>
        <option value="unknown">Unknown</option>
        <option value="yes">Yes</option>
        <option value="no">No</option>
      </Select>
    </Field>
  );
}

function LongText({
  name,
  label,
  hint,
}: {
  name: "stop" | "extraBody";
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
