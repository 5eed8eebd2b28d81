import { useFormContext } from "react-hook-form";

import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import type { ProviderType } from "@/lib/api/types";

import { Group, TextareaField } from "./model-option-fields";
import { OMITTABLE_PARAMETERS } from "./model-schema";
import type { ModelValues } from "./model-values";
import { usesOpenAiProtocol } from "./provider-types";

/** Switches for servers that refuse a part of OpenAI's protocol. */
export function RequestFields({ providerType }: { providerType: ProviderType | undefined }) {
  const isOpenAi = !providerType || usesOpenAiProtocol(providerType);
  return (
    <Group
      title="Requests"
      note="Automatic: what the model refuses is left out from then on, and the run shows a warning."
      fields={["stream", "maxTokensParameter", "systemRole", "omitParameters", "endpoint"]}
    >
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        <ChoiceField
          name="stream"
          label="Streaming"
          options={{ unknown: "Automatic", yes: "On", no: "Off" }}
        />
        {isOpenAi && (
          <>
            <ChoiceField
              name="maxTokensParameter"
              label="Token limit is sent as"
              options={{
                "": "Automatic",
                max_tokens: "max_tokens",
                max_completion_tokens: "max_completion_tokens",
              }}
            />
            <ChoiceField
              name="systemRole"
              label="System messages"
              options={{
                "": "Automatic",
                system: "Role system",
                developer: "Role developer",
                user: "In the first user message",
              }}
            />
          </>
        )}
      </div>
      {isOpenAi && (
        <TextareaField
          name="omitParameters"
          label="Parameters never sent"
          hint={`One per line: ${OMITTABLE_PARAMETERS.join(", ")}.`}
        />
      )}
      <EndpointField />
    </Group>
  );
}

interface ChoiceProps {
  name: "stream" | "maxTokensParameter" | "systemRole";
  label: string;
  /** Labels by value. */
  options: Record<string, string>;
}

function ChoiceField({ name, label, options }: ChoiceProps) {
  const { register } = useFormContext<ModelValues>();
  return (
    <Field label={label}>
      <Select {...register(name)}>
        {Object.entries(options).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </Select>
    </Field>
  );
}

function EndpointField() {
  const { register, formState } = useFormContext<ModelValues>();
  return (
    <Field
      label="Endpoint"
      hint="A path or URL, for reference only: calls go to the provider’s base URL."
      error={formState.errors.endpoint?.message}
    >
      <Input
        autoComplete="off"
        spellCheck={false}
        placeholder="/v1/chat/completions"
        {...register("endpoint")}
      />
    </Field>
  );
}
