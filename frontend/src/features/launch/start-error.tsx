import { Link } from "@tanstack/react-router";
import type { UseFormReturn } from "react-hook-form";

import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { ApiProblem } from "@/lib/api/problem";
import type { InputDefinition } from "@/lib/api/types";

import { findFormField, type InputsView, type LaunchValues } from "./launch-values";

interface Props {
  error: unknown;
  inputs: readonly InputDefinition[];
  view: InputsView;
}

const MODEL_PROBLEMS: ReadonlySet<string> = new Set([
  "no-model",
  "no-embedder",
  "model-not-registered",
  "model-unusable",
]);

/** Why the run was not started; errors that are shown at their fields are not repeated. */
export function StartError({ error, inputs, view }: Props) {
  if (error instanceof ApiProblem && areShownAtFields(error, inputs, view)) {
    return (
      <Alert
        tone="err"
        title="The run was not started because some values are invalid. They are marked above."
      />
    );
  }
  return (
    <>
      <ErrorPanel error={error} />
      {error instanceof ApiProblem && MODEL_PROBLEMS.has(error.slug) && (
        <Link to="/models" className="text-accent underline">
          Go to providers &amp; models
        </Link>
      )}
    </>
  );
}

/** Shows the errors of the server at their fields, and focuses the first one. */
export function showFieldErrors(
  form: UseFormReturn<LaunchValues>,
  error: unknown,
  inputs: readonly InputDefinition[],
  view: InputsView,
): void {
  if (!(error instanceof ApiProblem)) return;
  if (view === "json") {
    const details = error.fields.filter(isInputPointer).map((one) => one.detail);
    if (details.length > 0)
      form.setError("json", { message: details.join("\n") }, { shouldFocus: true });
  }
  let isFirst = true;
  for (const { pointer, detail } of error.fields) {
    const field = findFormField(pointer, inputs);
    if (!field || (view === "json" && field.startsWith("inputs."))) continue;
    form.setError(field, { message: detail }, { shouldFocus: isFirst });
    isFirst = false;
  }
}

function areShownAtFields(
  error: ApiProblem,
  inputs: readonly InputDefinition[],
  view: InputsView,
): boolean {
  const shown = error.fields.filter(
    (one) =>
      findFormField(one.pointer, inputs) !== null || (view === "json" && isInputPointer(one)),
  );
  return shown.length > 0 && shown.length === error.fields.length;
}

function isInputPointer({ pointer }: { pointer: string }): boolean {
  return pointer.startsWith("/inputs");
}
