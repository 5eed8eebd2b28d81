import { lazy, Suspense } from "react";
import type { UseFormReturn } from "react-hook-form";

import { Card } from "@/components/ui/card";
import { SegmentedControl } from "@/components/ui/segmented-control";
import type { InputDefinition } from "@/lib/api/types";

import { InputField } from "./input-field";
import {
  asJson,
  fromJson,
  problemOf,
  shownInputs,
  unshowable,
  type GivenInputs,
} from "./input-values";
import { JsonInputs } from "./json-inputs";
import type { LaunchValues } from "./launch-values";

// What opens beside its button weighs more than the form; it comes when the form stands.
const PreviousInputs = lazy(async () => ({
  default: (await import("./previous-inputs")).PreviousInputs,
}));

export type InputsView = "form" | "json";

interface Props {
  form: UseFormReturn<LaunchValues>;
  workflowId: string;
  inputs: readonly InputDefinition[];
  view: InputsView;
  onView: (view: InputsView) => void;
}

const VIEWS: { value: InputsView; label: string }[] = [
  { value: "form", label: "Form" },
  { value: "json", label: "JSON" },
];

/** The inputs, by the form or as JSON; what was entered goes along from one to the other. */
export function InputsCard({ form, workflowId, inputs, view, onView }: Props) {
  const change = (next: InputsView) => {
    if (next === view) return;
    if (next === "json") form.setValue("json", asJson(inputs, form.getValues("inputs")));
    else if (!takeOver(form, inputs)) return;
    form.clearErrors();
    onView(next);
  };
  const fill = (given: GivenInputs) => {
    const contents = shownInputs(inputs, given);
    form.setValue("inputs", contents);
    form.setValue("json", asJson(inputs, contents));
    form.clearErrors();
  };

  if (inputs.length === 0) {
    return (
      <Card title="Inputs">
        <p className="p-4 text-ink-soft">This workflow asks for nothing: start it is.</p>
      </Card>
    );
  }
  return (
    <Card
      title="Inputs"
      actions={
        <div className="flex items-center gap-2">
          <Suspense fallback={<span className="h-7 w-32 max-sm:h-9" />}>
            <PreviousInputs workflowId={workflowId} onPick={(run) => fill(run.inputs)} />
          </Suspense>
          <SegmentedControl
            label="Show the inputs as"
            options={VIEWS}
            value={view}
            onChange={change}
          />
        </div>
      }
    >
      <div className="grid gap-4 p-4">
        {view === "json" ? (
          <JsonInputs form={form} />
        ) : (
          inputs.map((input) => (
            <InputField
              key={input.name}
              input={input}
              content={form.getValues(`inputs.${input.name}`)}
              field={form.register(`inputs.${input.name}`, {
                validate: (content) => problemOf(input, content),
              })}
              error={form.formState.errors.inputs?.[input.name]?.message}
            />
          ))
        )}
      </div>
    </Card>
  );
}

/** Puts the JSON's values into the form, unless the form cannot show them as they are. */
function takeOver(form: UseFormReturn<LaunchValues>, inputs: readonly InputDefinition[]): boolean {
  const read = fromJson(form.getValues("json"));
  const problems = "problem" in read ? [read.problem] : unshowable(inputs, read.given);
  if ("problem" in read || problems.length > 0) {
    form.setError("json", { message: problems.join("\n") }, { shouldFocus: true });
    return false;
  }
  form.setValue("inputs", shownInputs(inputs, read.given));
  return true;
}
