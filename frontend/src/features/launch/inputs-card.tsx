import { lazy, Suspense } from "react";
import type { UseFormReturn } from "react-hook-form";

import { Card } from "@/components/ui/card";
import { SegmentedControl } from "@/components/ui/segmented-control";
import type { InputDefinition } from "@/lib/api/types";

import type { RunSource } from "./build-run-request";
import { InputField } from "./input-field";
import {
  toJson,
  parseJson,
  validateInput,
  toFormValues,
  findUnsupportedInputs,
  type RunInputs,
} from "./input-values";
import { JsonField } from "./json-field";
import type { InputsView, LaunchValues } from "./launch-values";

// Loaded after the form, because the popover is larger than the form itself.
const PreviousInputs = lazy(async () => ({
  default: (await import("./previous-inputs")).PreviousInputs,
}));

interface Props {
  form: UseFormReturn<LaunchValues>;
  source: RunSource;
  inputs: readonly InputDefinition[];
  view: InputsView;
  onView: (view: InputsView) => void;
}

const VIEWS: { value: InputsView; label: string }[] = [
  { value: "form", label: "Form" },
  { value: "json", label: "JSON" },
];

/** The inputs as form fields or as JSON; switching keeps the values. */
export function InputsCard({ form, source, inputs, view, onView }: Props) {
  const changeView = (next: InputsView) => {
    if (next === view) return;
    if (next === "json") form.setValue("json", toJson(inputs, form.getValues("inputs")));
    else if (!copyJsonToForm(form, inputs)) return;
    form.clearErrors();
    onView(next);
  };
  const fill = (given: RunInputs) => {
    const values = toFormValues(inputs, given);
    form.setValue("inputs", values);
    form.setValue("json", toJson(inputs, values));
    form.clearErrors();
  };

  if (inputs.length === 0) {
    return (
      <Card title="Inputs">
        <p className="p-4 text-ink-soft">No inputs are needed.</p>
      </Card>
    );
  }
  return (
    <Card
      title="Inputs"
      actions={
        <div className="flex items-center gap-2">
          <Suspense fallback={<span className="h-7 w-32 max-sm:h-9" />}>
            <PreviousInputs source={source} onPick={(run) => fill(run.inputs)} />
          </Suspense>
          <SegmentedControl
            label="Input format"
            options={VIEWS}
            value={view}
            onChange={changeView}
          />
        </div>
      }
    >
      <div className="grid gap-4 p-4">
        {view === "json" ? (
          <JsonField form={form} />
        ) : (
          inputs.map((input) => (
            <InputField
              key={input.name}
              input={input}
              value={form.getValues(`inputs.${input.name}`)}
              registration={form.register(`inputs.${input.name}`, {
                validate: (content) => validateInput(input, content),
              })}
              error={form.formState.errors.inputs?.[input.name]?.message}
            />
          ))
        )}
      </div>
    </Card>
  );
}

/** Copies the JSON into the form; returns false when the form cannot show its values. */
function copyJsonToForm(
  form: UseFormReturn<LaunchValues>,
  inputs: readonly InputDefinition[],
): boolean {
  const parsed = parseJson(form.getValues("json"));
  const problems =
    "problem" in parsed ? [parsed.problem] : findUnsupportedInputs(inputs, parsed.given);
  if ("problem" in parsed || problems.length > 0) {
    form.setError("json", { message: problems.join("\n") }, { shouldFocus: true });
    return false;
  }
  form.setValue("inputs", toFormValues(inputs, parsed.given));
  return true;
}
