import { Link } from "@tanstack/react-router";
import type { UseFormReturn } from "react-hook-form";

import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { ApiProblem } from "@/lib/api/problem";
import type { InputDefinition } from "@/lib/api/types";

import type { InputsView } from "./inputs-card";
import { fieldAt, type LaunchValues } from "./launch-values";

interface Props {
  error: unknown;
  inputs: readonly InputDefinition[];
  view: InputsView;
}

const MODEL_PROBLEMS: ReadonlySet<string> = new Set(["no-model", "model-not-registered"]);

/** Why the run was not started, unless the fields say it all. */
export function StartProblem({ error, inputs, view }: Props) {
  if (error instanceof ApiProblem && toldByFields(error, inputs, view)) {
    return (
      <Alert
        tone="err"
        title="The run was not started: some values do not fit. They are marked above."
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

/** Writes the server's objections to the fields they are about, and goes to the first. */
export function tellFields(
  form: UseFormReturn<LaunchValues>,
  error: unknown,
  inputs: readonly InputDefinition[],
  view: InputsView,
): void {
  if (!(error instanceof ApiProblem)) return;
  if (view === "json") {
    const words = error.fields.filter(isInput).map((one) => one.detail);
    if (words.length > 0)
      form.setError("json", { message: words.join("\n") }, { shouldFocus: true });
  }
  let first = true;
  for (const { pointer, detail } of error.fields) {
    const field = fieldAt(pointer, inputs);
    if (!field || (view === "json" && field.startsWith("inputs."))) continue;
    form.setError(field, { message: detail }, { shouldFocus: first });
    first = false;
  }
}

function toldByFields(
  error: ApiProblem,
  inputs: readonly InputDefinition[],
  view: InputsView,
): boolean {
  const told = error.fields.filter(
    (one) => fieldAt(one.pointer, inputs) !== null || (view === "json" && isInput(one)),
  );
  return told.length > 0 && told.length === error.fields.length;
}

function isInput({ pointer }: { pointer: string }): boolean {
  return pointer.startsWith("/inputs");
}
